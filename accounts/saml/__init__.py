"""Single sign-on by SAML 2.0: one signed answer to each question of ours, and nothing else.

`idp` is the other side as the settings describe it, `answer` judges what it says, `provider` puts the
question and turns the answer into claims as OpenID Connect has them, `views` are the addresses.
docs/decisions/0033-accounts.md says why.
"""

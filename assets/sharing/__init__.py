"""Links for people without an account: what they show, who comes in, and signed addresses of files."""

"""Learning from the museum's own catalogue: pure functions on arrays, without Django and without a database.

`ridge` learns what a picture's words are from its features, `proof` judges that on pictures it has not seen.
"""

"""Learning from the museum's own catalogue (docs/learning.md).

Pure functions on arrays: `ridge` learns what a picture's words are from its features, `proof` measures.
`words` takes apart what people wrote, `library` reads what there is to learn from, `trial` learns and judges
on pictures that were held out, `lessons` does all of it and offers what is better, `encoder` is what comes of
it.
"""

"""One change to many pictures: selected, looked at, carried out, taken back (docs/decisions/0025)."""

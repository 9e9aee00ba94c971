"""Imports: tables and pictures as one delivery that is mapped, checked, taken in, and can be taken back.

    delivery = starting.begin(user, name, place="…/pictures.zip", table="…/list.xlsx")
    mapping.suggested(user, headers)          # what the columns mean
    running.step(delivery.pk)                 # a bounded portion of the work, called until nothing is left

docs/decisions/0020 says why it has this shape.
"""

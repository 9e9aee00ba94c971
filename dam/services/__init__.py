"""The embedded parts of the system, and the supervisor that starts, watches and stops them.

Standard library as far as possible and no Django: settings.py imports `addresses` from here.
"""


class ServiceError(Exception):
    """Something a person can put right; the message says what, in one or a few lines."""

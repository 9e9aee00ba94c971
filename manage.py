#!/usr/bin/env python
"""Django's command line: `manage.py up`, `ingest`, `search`, `resume` … (see README.md)."""

import os
import sys

AS_OWNER = {"migrate", "prepare", "restore"}
"""Commands that make tables or put others in their place, and connect as their owner."""


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dam.settings")
    if AS_OWNER.intersection(sys.argv[1:2]):
        os.environ.setdefault("DATABASE_AS_OWNER", "1")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        _ = settings.INSTALLED_APPS  # reads settings.py, and so every environment variable
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"The data folder cannot be used: {error}. Choose another with DATA_DIR=/path.")
    from django.db.utils import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        if "--traceback" in sys.argv:
            raise
        said = str(error).strip().splitlines()[0]
        sys.exit(f"The database cannot be reached. Is the library running? `make run` starts it.\n({said})")


if __name__ == "__main__":
    main()

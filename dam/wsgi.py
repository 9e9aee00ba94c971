import os

from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from dam.services.process import die_with_parent


def refuse_to_start() -> None:
    """With a key that others can know, or open to every host: said to whoever starts the server alone."""
    wrong = [error for error in checks.run_checks(tags=[checks.Tags.security]) if error.is_serious()]
    if wrong:
        raise ImproperlyConfigured("\n".join(f"{error.msg} {error.hint}" for error in wrong))


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dam.settings")
die_with_parent()  # the server's workers load this, and must not outlive the server on its port
application = get_wsgi_application()
refuse_to_start()

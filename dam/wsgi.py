import os

from django.core.wsgi import get_wsgi_application

from dam.services.process import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dam.settings")
die_with_parent()  # the server's workers load this, and must not outlive the server on its port
application = get_wsgi_application()

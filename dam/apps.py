import gc

from django.apps import AppConfig


class DamConfig(AppConfig):
    name = "dam"

    def ready(self) -> None:
        from dam.security import checks  # noqa: F401 (registers the system checks)

        gc.freeze()  # what is imported stays: it need not be looked at again, nor copied by a forked worker
        gc.set_threshold(10_000, 20, 20)  # a page is made of far more objects than the usual 700
        gc.enable()  # settings.py has stopped it

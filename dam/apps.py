from django.apps import AppConfig


class DamConfig(AppConfig):
    name = "dam"

    def ready(self) -> None:
        from dam.security import checks  # noqa: F401 (registers the system checks)

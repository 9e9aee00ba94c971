"""What every template knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from assets.scopes import Action, scope_of


def site(request: HttpRequest) -> dict[str, Any]:
    def may(action: Action) -> Any:
        return SimpleLazyObject(lambda: scope_of(request.user).may_somewhere(action))

    return {
        "site_name": settings.SITE_NAME,
        "may_manage": may(Action.MANAGE),
        "may_upload": may(Action.DESCRIBE),
        "may_share": may(Action.SHARE),
    }

"""/admin/health/: how the library is, for people; /healthz and /readyz (dam.health) are for machines."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dam import health, health_facts
from search import checking
from search.admin.rows import Row, rows_of
from search.models import EmbeddingSpace

TICK_SECONDS, QUEUED_SECONDS = 60, 120
AWAY = {
    "database": gettext_noop("The database does not answer."),
    gettext_noop("cache"): gettext_noop("The cache does not answer."),
    gettext_noop("broker"): gettext_noop("The broker does not answer."),
    gettext_noop("embedding space"): gettext_noop("The embedding space does not answer."),
}
HELP = {
    "database": gettext_lazy(
        "Nothing can be stored or found without it. See postgresql.log in the folder logs, or start "
        "the database that DATABASE_URL names."
    ),
    "cache": gettext_lazy(
        "Pages are slower, and encoders keep to no limits. See valkey.log in the folder logs, or start "
        "the Redis or Valkey that REDIS_URL or CACHE_URL names."
    ),
    "broker": gettext_lazy(
        "Uploads are kept and wait; nothing is processed. See valkey.log in the folder logs, or start "
        "the Redis or Valkey that REDIS_URL or BROKER_URL names."
    ),
    "embedding space": gettext_lazy(
        "Pictures cannot be found by likeness. Restart the library: that makes the first one."
    ),
}


@dataclass
class Part:
    """Something that answers or does not."""

    name: str
    works: bool
    said: str = ""


@dataclass
class Advice:
    """Something wrong, and what to do about it."""

    wrong: str
    todo: str
    link: str = ""
    label: str = ""


@never_cache
@require_safe
def health_page(request: HttpRequest) -> HttpResponse:
    answering = {name: health.works(check) for name, check in health.CHECKS.items()}
    facts = collect(answering)
    context = {**admin.site.each_context(request), "title": _("Health"), **facts}
    context |= {"advice": advice_of(facts), "may_act": False}
    return TemplateResponse(request, "health.html", context)


def collect(answering: dict[str, bool]) -> dict[str, Any]:
    """All facts; those of services that are away are empty."""
    none: list[Row] = []
    return {
        "parts": [Part(name, works) for name, works in answering.items()],
        "workers": health_facts.workers() if answering["broker"] else {},
        "tick": health_facts.last_tick(),
        "versions": health_facts.versions(),
        "rows": health_facts.known(lambda: rows_of(EmbeddingSpace.objects.all()), none),
        "encoders": health_facts.encoder_health(),
        "stages": health_facts.stages(),
        "queued": health_facts.oldest_queued(),
        "incoming": health_facts.incoming(),
        "disk": health_facts.disk(),
        "originals": health_facts.originals(),
        "storage_away": health_facts.storage_away(),
        "in_trash": health_facts.in_trash(),
        "fixity_days": settings.FIXITY_DAYS,
        "trash_days": settings.TRASH_DAYS,
        "rows_checked": health_facts.known(checking.last, None),
        "queues": health_facts.QUEUES,
    }


# --- what to do -----------------------------------------------------------------------------------


def advice_of(facts: dict[str, Any]) -> list[Advice]:
    """Empty where all is well."""
    away = [Advice(_(AWAY[part.name]), str(HELP[part.name])) for part in facts["parts"] if not part.works]
    return [
        *away,
        *_about_originals(facts),
        *_about_workers(facts),
        *_about_work(facts),
        *(advice for row in facts["rows"] for advice in _about_space(row)),
        *_about_encoders(facts),
        *_about_disk(facts),
    ]


def _about_workers(facts: dict[str, Any]) -> list[Advice]:
    broker = next(part for part in facts["parts"] if part.name == "broker")
    if not broker.works:
        return []
    served = {queue for queues in facts["workers"].values() for queue in queues}
    todo = _("See worker.log, importer.log and filler.log in the folder logs, and restart the library.")
    said = _("No worker answers for %(what)s (queue %(queue)s).")
    found = [
        Advice(said % {"what": _(what), "queue": queue}, todo)
        for queue, what in health_facts.QUEUES.items()
        if queue not in served
    ]
    tick, long_ago = facts["tick"], timezone.now() - timedelta(seconds=TICK_SECONDS)
    if "control" in served and (tick is None or tick < long_ago):
        found.append(
            Advice(
                _("The clock (beat) does not hand out work."),
                _("See beat.log in the folder logs, and restart the library."),
            )
        )
    return found


def _about_work(facts: dict[str, Any]) -> list[Advice]:
    found = []
    if failed := sum(stage.failed for stage in facts["stages"]):
        steps = ngettext("%(shown)s step has failed.", "%(shown)s steps have failed.", failed)
        steps %= {"shown": intcomma(failed)}
        link = reverse("assets:jobs")
        found.append(Advice(steps, _("The reasons are listed, and all can be tried again."), link, _("Jobs")))
    queued = facts["queued"]
    if queued and queued < timezone.now() - timedelta(seconds=QUEUED_SECONDS):
        found.append(
            Advice(_("Work has been handed out, and nobody has begun it."), _("Run `manage.py resume`."))
        )
    return found


def _about_space(row: Row) -> list[Advice]:
    link = reverse("admin:search_embeddingspace_change", args=[row.space.pk])
    if row.space.problem:
        return [Advice(f"{row.space}: {row.space.problem}", _("Look at it:"), link, _("this space"))]
    return []


def _about_encoders(facts: dict[str, Any]) -> list[Advice]:
    return [
        Advice(
            _("The encoder %(name)s is paused: %(why)s") % {"name": one.name, "why": one.paused.reason},
            _("It goes on by itself. Where you have just put something right, ask at once, at its space:"),
            reverse("admin:search_embeddingspace_changelist"),
            _("Embedding spaces"),
        )
        for one in facts["encoders"]
        if one.paused
    ]


def _about_originals(facts: dict[str, Any]) -> list[Advice]:
    found, away = facts["originals"], facts["storage_away"]
    if found is None:
        return []
    advice = [Advice(_("The originals cannot be read."), away)] if away else []
    if found.bad:
        said = ngettext(
            "%(shown)s original is not as stored.", "%(shown)s originals are not as stored.", found.bad
        )
        said %= {"shown": intcomma(found.bad)}
        link = f"{reverse('admin:assets_blob_changelist')}?reading=bad"
        todo = _("Put right copies back from a backup; which, and how, stands in the list.")
        advice.append(Advice(said, todo, link, _("Originals")))
    if found.is_late:
        advice.append(
            Advice(
                _("The originals are read again too slowly."),
                _("Give it more hours (FIXITY_HOURS), or run `manage.py fixity` once."),
            )
        )
    return advice


def _about_disk(facts: dict[str, Any]) -> list[Advice]:
    if not facts["disk"].is_short:
        return []
    return [
        Advice(
            _("The disk is nearly full."),
            _("Make room, or move DATA_DIR to a larger disk; uploads fail without."),
        )
    ]

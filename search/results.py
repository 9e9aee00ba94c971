"""Results as plain data, for the API and `--json`."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext as _

from search.asked import Wrong
from search.corrections import Change
from search.query import Results
from search.reasons import reasons


def as_dict(results: Results, text: str = "") -> dict[str, Any]:
    """{"space", "total", "awaiting", "strong", "results": […], "notices", "mistakes", "did_you_mean"}.

    `text` is what was asked in words.
    Of each result: {"id", "filename", "title", "score", "strong", "signals", "matched_words"}.
    Of each mistake: {"where", "start", "end", "message"}. What may have been meant, or None: {"q", "changes":
    [{"start", "end", "text"}]}, where the changes stand in the text.
    """
    why = reasons(text, results.hits)
    return {
        "space": results.space,
        "total": results.total,
        "awaiting": results.awaited,
        "strong": results.strong,
        "results": [
            {
                "id": str(asset.uid),
                "filename": asset.filename or None,
                "title": asset.display_title,
                "score": round(hit.score, 6),
                "strong": hit.strong,
                "signals": hit.signals,
                "matched_words": why[hit.asset_id].words,
            }
            for asset, hit in zip(results.assets, results.hits, strict=True)
        ],
        "notices": results.notices,
        "mistakes": [
            {**told, "message": message(results, wrong)}
            for told, wrong in zip(mistakes_as_dicts(results.mistakes), results.mistakes, strict=True)
        ],
        "did_you_mean": _meant(results),
    }


def mistakes_as_dicts(mistakes: Iterable[Wrong]) -> list[dict[str, Any]]:
    return [{"where": where, **asdict(mistake)} for where, mistake in mistakes]


def meant_by(results: Results, wrong: Wrong) -> Change | None:
    """The name that stands in the question instead of one that stands for nothing."""
    changes = results.did_you_mean.changes if results.did_you_mean and wrong.where == "q" else ()
    place = (wrong.mistake.start, wrong.mistake.end)
    return next((change for change in changes if change.field and (change.start, change.end) == place), None)


def message(results: Results, wrong: Wrong) -> str:
    """What is said of a mistake, with what may have been meant."""
    change, said = meant_by(results, wrong), wrong.mistake.message
    meant = _("Did you mean %(name)s?") % {"name": f"{change.field}:{change.text}"} if change else ""
    return f"{said} {meant}" if change else said


def _meant(results: Results) -> dict[str, Any] | None:
    meant = results.did_you_mean
    changes = meant.changes if meant else ()
    listed = [{"start": change.start, "end": change.end, "text": change.text} for change in changes]
    return {"q": meant.q, "changes": listed} if meant else None

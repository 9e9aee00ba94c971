"""Results as plain data, for the API and `--json`."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from search.asked import Wrong
from search.query import Results
from search.reasons import reasons


def as_dict(results: Results, text: str = "") -> dict[str, Any]:
    """{"space", "total", "strong", "results": […], "notices", "mistakes"}; `text` is what was asked in words.

    Of each result: {"id", "filename", "title", "score", "strong", "signals", "matched_words"}.
    Of each mistake: {"where", "start", "end", "message"}.
    """
    why = reasons(text, results.hits)
    return {
        "space": results.space,
        "total": results.total,
        "strong": results.strong,
        "results": [
            {
                "id": str(asset.uid),
                "filename": asset.filename,
                "title": asset.display_title,
                "score": round(hit.score, 6),
                "strong": hit.strong,
                "signals": hit.signals,
                "matched_words": why[hit.asset_id].words,
            }
            for asset, hit in zip(results.assets, results.hits, strict=True)
        ],
        "notices": results.notices,
        "mistakes": mistakes_as_dicts(results.mistakes),
    }


def mistakes_as_dicts(mistakes: Iterable[Wrong]) -> list[dict[str, Any]]:
    return [{"where": where, **asdict(mistake)} for where, mistake in mistakes]

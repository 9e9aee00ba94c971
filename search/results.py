"""Results as plain data, for the API and `--json`."""

from dataclasses import asdict
from typing import Any

from search.query import Results


def as_dict(results: Results) -> dict[str, Any]:
    """{"space", "total", "results": [{"id", "filename", "title", "score", "signals"}], "notices",
    "mistakes": [{"where", "start", "end", "message"}]}
    """
    return {
        "space": results.space,
        "total": results.total,
        "results": [
            {
                "id": str(asset.uid),
                "filename": asset.filename,
                "title": asset.display_title,
                "score": round(hit.score, 6),
                "signals": hit.signals,
            }
            for asset, hit in zip(results.assets, results.hits, strict=True)
        ],
        "notices": results.notices,
        "mistakes": [{"where": where, **asdict(mistake)} for where, mistake in results.mistakes],
    }

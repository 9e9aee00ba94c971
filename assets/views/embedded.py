"""What a file says of itself, by standard, in the names of the standards. No HTML here."""

from collections.abc import Iterable
from typing import Any

from assets.metadata import technical
from assets.models import Asset

LONGEST = 500
SCHEMAS = {
    "dc": "Dublin Core",
    "photoshop": "Photoshop",
    "Iptc4xmpCore": "IPTC Core",
    "Iptc4xmpExt": "IPTC Extension",
    "plus": "PLUS",
    "xmp": "Basic",
    "xmpRights": "Rights",
    "xmpMM": "Media Management",
    "exif": "EXIF",
    "exifEX": "EXIF",
    "tiff": "EXIF",
    "aux": "EXIF",
    "crs": "Camera Raw",
    "lr": "Lightroom",
}
CAMERA = {
    "LensModel": "{}",
    "FocalLength": "{} mm",
    "ExposureTime": "{} s",
    "FNumber": "f/{}",
    "ISOSpeedRatings": "ISO {}",
}
Facts = list[tuple[str, str]]


def groups(asset: Asset) -> list[tuple[str, Facts]]:
    """Headings, each with names and values; XMP by its schemas."""
    found = asset.current_version.embedded_metadata if asset.current_version else {}
    named: dict[str, Facts] = {}
    for standard, values in found.items():
        if standard == technical.NAME:  # is among the facts of the file
            continue
        for name, value in values.items() if isinstance(values, dict) else [(standard, values)]:
            schema, colon, _ = str(name).partition(":")
            heading = f"{standard}: {SCHEMAS.get(schema, schema)}" if colon else str(standard)
            named.setdefault(heading, []).append((str(name), _short(value)))
    return [(heading, sorted(facts)) for heading, facts in sorted(named.items())]


def camera(asset: Asset) -> str:
    """Make, model, lens and exposure in one line, as far as they are known."""
    found = asset.current_version.embedded_metadata if asset.current_version else {}
    exif = found.get("EXIF", {})
    make, model = (str(exif.get(name, "")).strip() for name in ("Make", "Model"))
    body = model if model.casefold().startswith(make.casefold()) else f"{make} {model}"
    said = [form.format(exif[name]) for name, form in CAMERA.items() if exif.get(name)]
    return ", ".join([body.strip(), *said]) if body.strip() else ""


def _short(value: Any) -> str:
    text = _plain(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return _joined(map(_plain, value))
    if isinstance(value, dict) and list(value) == ["x-default"]:
        return _plain(value["x-default"])
    if isinstance(value, dict):
        items = sorted(value.items(), key=lambda pair: (pair[0] != "x-default", pair[0]))
        return _joined(f"{name}: {_plain(inner)}" for name, inner in items)
    return "" if value is None else str(value)


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(filter(None, texts))

"""Every kind of file, from the upload to what is shown."""

import io
import signal
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import Image

from accounts.models import User
from assets import apart, changes, copies, storage
from assets.metadata import extract_metadata, technical
from assets.models import Asset, AssetVersion, DocumentText
from assets.renditions import decoded, make_renditions
from assets.stages import PermanentFailure
from assets.views.cards import cards_of
from assets.views.facts import of_file
from search.models import SearchRow
from tests.factories import encoded, process, take_in
from tests.heic import heic
from tests.samples import ADOBE_RGB, dng, pdf, profile, psd, svg, video

pytestmark = pytest.mark.django_db
RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def taken(content: bytes, name: str = "wrong.txt") -> AssetVersion:
    found = take_in(content, name)
    assert found.asset is not None and found.asset.current_version is not None, found.reason
    return found.asset.current_version


def shown(version: AssetVersion, name: str = "large") -> Image.Image:
    make_renditions(version)()
    rendition = version.renditions.get(name=name)
    with storage.renditions().open(rendition.storage_name) as file:
        return Image.open(io.BytesIO(file.read())).convert("RGB")


def near(image: Image.Image, across: float, down: float, color: tuple[int, int, int], most: int = 12) -> bool:
    pixel = image.getpixel((int(image.width * across), int(image.height * down)))
    return bool(np.abs(np.array(pixel) - np.array(color)).max() <= most)


def halves(size: tuple[int, int] = (64, 64), mode: str = "RGB") -> Image.Image:
    """Red at the left, blue at the right."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    return image.convert(mode)


def by_vips(image: Image.Image, kind: str = "uchar", **options: Any) -> bytes:
    pixels = pyvips.Image.new_from_array(np.asarray(image))
    if kind == "ushort":
        pixels = (pixels * 257).cast("ushort").copy(interpretation="rgb16")
    if kind == "float":
        pixels = (pixels / 255).cast("float").copy(interpretation="scrgb")
    return bytes(pixels.tiffsave_buffer(**options))


# --- TIFF and moving pictures -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        by_vips(halves(), tile=True, tile_width=16, tile_height=16),
        by_vips(halves(), bigtiff=True),
        by_vips(halves(), bigtiff=True, tile=True, pyramid=True, compression="deflate"),
        by_vips(halves(), "ushort"),
        by_vips(halves(), "ushort", compression="lzw", predictor="horizontal"),
        by_vips(halves(), "float"),
        by_vips(halves(), compression="jpeg", Q=95),
        encoded(halves(mode="CMYK"), "TIFF", compression="tiff_lzw"),
        encoded(halves(), "TIFF", big_tiff=True),
    ],
    ids=[
        "tiled",
        "big",
        "pyramid",
        "16 bit",
        "16 bit packed",
        "float",
        "jpeg inside",
        "cmyk",
        "big by pillow",
    ],
)
def test_every_kind_of_tiff_is_shown(content: bytes) -> None:
    version = taken(content)
    image = shown(version)
    assert (version.format, version.pages, version.blob.media_type) == ("TIFF", 1, "image/tiff")
    assert image.size == (64, 64) == (version.width, version.height)
    assert near(image, 0.2, 0.5, RED) and near(image, 0.8, 0.5, BLUE)


@pytest.mark.parametrize("options", [{}, {"big_tiff": True}])
def test_the_pages_of_a_tiff_are_counted_and_the_first_is_shown(options: dict[str, Any]) -> None:
    pages = [Image.new("RGB", (40, 30), color) for color in ("blue", "lime", "white")]
    version = taken(encoded(halves(), "TIFF", save_all=True, append_images=pages, **options))
    assert version.pages == 4 and (version.width, version.height) == (64, 64)
    assert near(shown(version), 0.2, 0.5, RED)
    assert ("Pages", "4") in of_file(version.asset)


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "AVIF"])
def test_the_frames_of_a_moving_picture_are_counted(format: str) -> None:
    frames = [Image.effect_noise((64, 64), 50 + n).convert("RGB") for n in range(3)]
    version = taken(encoded(halves(), format, save_all=True, append_images=frames))
    assert version.pages == 4 and near(shown(version), 0.2, 0.5, RED)
    assert cards_of([version.asset])[0].kind == "4 frames"


# --- further kinds ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "format", "media_type"),
    [
        (heic(halves()), "HEIC", "image/heic"),
        (psd(halves()), "PSD", "image/vnd.adobe.photoshop"),
        (psd(halves(), depth=16, packed=True), "PSD", "image/vnd.adobe.photoshop"),
        (psd(halves(mode="CMYK"), large=True, packed=True), "PSD", "image/vnd.adobe.photoshop"),
        (dng((64, 64)), "RAW", "image/x-raw"),
        (video("avi", "MJPG", (64, 64)), "VIDEO", "video/x-msvideo"),
    ],
    ids=["heic", "psd", "psd of 16 bits", "psb in cmyk", "dng", "avi"],
)
def test_pictures_that_are_decoded_apart(content: bytes, format: str, media_type: str) -> None:
    version = taken(content, "picture.jpg")
    image = shown(version)
    assert (version.format, version.blob.media_type) == (format, media_type)
    assert (version.width, version.height) == image.size == (64, 64)
    assert near(image, 0.2, 0.5, RED, 45)
    assert format == "VIDEO" or near(image, 0.8, 0.5, BLUE, 45)


def test_a_heic_and_a_raw_file_are_turned_upright() -> None:
    turned = taken(heic(halves((64, 32)), turns=1))  # to the left: red comes down
    assert (turned.width, turned.height) == shown(turned).size == (32, 64)
    assert near(shown(turned), 0.5, 0.2, BLUE) and near(shown(turned), 0.5, 0.8, RED)
    raw = taken(dng((64, 48), orientation=6))  # to the right: red comes up
    assert (raw.width, raw.height) == shown(raw).size == (48, 64)
    assert near(shown(raw), 0.5, 0.2, RED, 45) and near(shown(raw), 0.5, 0.8, BLUE, 45)


def test_a_photoshop_document_without_a_merged_picture_says_what_to_do() -> None:
    with pytest.raises(PermanentFailure, match="Maximize compatibility"):
        make_renditions(taken(psd(halves(), merged=False)))


def test_a_video_has_a_poster_that_is_not_its_black_beginning() -> None:
    version = taken(video("mp4", "mp4v", seconds=3))
    assert (version.format, version.width, version.height) == ("VIDEO", 160, 120)
    assert version.duration_ms == 3000 and near(shown(version), 0.2, 0.5, RED)
    assert {("Format", "Video (MP4)"), ("Duration", "0:03")} <= set(of_file(version.asset))
    assert cards_of([version.asset])[0].kind == "Video 0:03"


def test_a_pdf_shows_its_first_page_and_is_found_by_its_words() -> None:
    version = taken(pdf("The lighthouse keeper", "kept a diary"), "letter.pdf")
    assert (version.format, version.pages) == ("PDF", 2)
    process(version.asset)
    assert DocumentText.objects.get().text == "The lighthouse keeper\nkept a diary"
    assert _found("lighthouse diary") and not _found("lighthouse poem")
    assert cards_of([version.asset])[0].kind == "PDF, 2 pages"
    image = shown(version)
    assert near(image, 0.5, 0.2, RED) and near(image, 0.95, 0.95, WHITE)


def _found(words: str) -> bool:
    where = ["words @@ plainto_tsquery('museum', %s)"]
    return SearchRow.objects.extra(where=where, params=[words]).exists()  # noqa: S610


def test_a_drawing_is_drawn_on_white_and_large() -> None:
    version = taken(svg())
    image = shown(version)
    assert (version.format, image.size) == ("SVG", (1600, 800))
    assert near(image, 0.2, 0.5, RED) and near(image, 0.8, 0.5, WHITE)


def test_nothing_outside_a_drawing_is_read(tmp_path: Any) -> None:
    asked: list[str] = []

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)

    (tmp_path / "blue.png").write_bytes(encoded(Image.new("RGB", (9, 9), BLUE), "PNG"))
    with HTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        places = [f"http://127.0.0.1:{server.server_port}/x.png", f"file://{tmp_path}/blue.png", "blue.png"]
        inside = "".join(f'<image x="100" width="99" height="99" xlink:href="{place}"/>' for place in places)
        inside += f"<style>@import url({places[0]}); rect {{ fill: url({places[0]}) }}</style>"
        (tmp_path / "a.svg").write_bytes(svg(inside))
        apart.show(tmp_path / "a.svg", "SVG", tmp_path / "a.png", 200, 30)
        server.shutdown()
    image = Image.open(tmp_path / "a.png").convert("RGB")
    assert not asked and near(image, 0.7, 0.5, WHITE)


def test_decoders_are_told_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("SECRET_KEY", "do not tell")
    seen: list[dict[str, str]] = []

    def run(command: list[str], **options: Any) -> None:
        seen.append(options["env"])
        raise apart.subprocess.TimeoutExpired(command, 1)

    monkeypatch.setattr(apart.subprocess, "run", run)
    with pytest.raises(apart.Undecodable, match="longer than 1 second"):
        apart.look(tmp_path / "x", "PDF", 1)
    assert "PATH" in seen[0] and "SECRET_KEY" not in seen[0] and "DATABASE_URL" not in seen[0]


def test_a_decoder_that_was_killed_says_nothing_of_its_file(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(command: list[str], **options: Any) -> Any:
        return apart.subprocess.CompletedProcess(command, -signal.SIGKILL, b"", b"")

    monkeypatch.setattr(apart.subprocess, "run", run)
    (tmp_path / "a.svg").write_bytes(svg(""))
    with pytest.raises(apart.Killed):
        decoded(tmp_path / "a.svg", "SVG", 100)


def test_videos_are_refused_with_advice_where_their_package_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "cv2.py").write_text("raise ModuleNotFoundError(name='cv2')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = take_in(video(), "film.mp4")
    assert found.asset is None and "Video files need the Python package that has cv2" in found.reason
    assert "An administrator can install it" in found.reason


# --- colours ----------------------------------------------------------------------------------------

P3, CMYK = pyvips.Image.profile_load("p3"), pyvips.Image.profile_load("cmyk")
ADOBE = profile(*ADOBE_RGB)
SAMPLE = (180, 120, 80)
IN_SRGB = {"p3": (190, 117, 72), "adobe": (199, 121, 77)}  # by the definitions of these spaces


@pytest.mark.parametrize("space", ["p3", "adobe"])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF", "PSD"])
def test_wide_colours_are_brought_to_srgb(space: str, format: str) -> None:
    image, icc = Image.new("RGB", (64, 64), SAMPLE), {"p3": bytes(P3), "adobe": ADOBE}[space]
    content = (
        psd(image, profile=icc) if format == "PSD" else encoded(image, format, icc_profile=icc, quality=98)
    )
    version = taken(content)
    assert near(shown(version), 0.5, 0.5, IN_SRGB[space], 6)
    with copies.made(version, copies.Copy("JPEG", 64)) as file:
        assert near(Image.open(file), 0.5, 0.5, IN_SRGB[space], 6)


def test_a_profile_for_print_is_used() -> None:
    ink = encoded(Image.new("CMYK", (64, 64), (0, 255, 255, 0)), "TIFF", icc_profile=bytes(CMYK))
    version = taken(ink)
    printed = (232, 31, 42)  # duller than the red of a screen
    assert near(shown(version), 0.5, 0.5, printed, 4)
    with copies.made(version, copies.Copy("JPEG", 64)) as file:
        assert near(Image.open(file), 0.5, 0.5, printed, 6)


@pytest.mark.parametrize(("mode", "icc"), [("RGB", b"no profile"), ("L", bytes(P3)), ("CMYK", bytes(P3))])
def test_a_profile_that_cannot_be_used_does_no_harm(mode: str, icc: bytes) -> None:
    version = taken(encoded(Image.new("RGB", (64, 64), "white").convert(mode), "TIFF", icc_profile=icc))
    with copies.made(version, copies.Copy("JPEG", 64)) as file:
        assert near(Image.open(file), 0.5, 0.5, WHITE) and near(shown(version), 0.5, 0.5, WHITE)


# --- a JPEG of it -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "sizes"),
    [
        (encoded(halves((2400, 60)), "PNG"), [2400, 2048, 1024]),
        (encoded(halves((2400, 60)), "JPEG"), [2048, 1024]),
        (encoded(halves((300, 60)), "JPEG"), []),
        (encoded(halves(), "JPEG2000"), [64]),
        (encoded(halves(), "BMP"), [64]),
        (encoded(halves(), "GIF"), [64]),
        (svg(), [2000, 1024]),
        (pdf("page"), [1600, 1024]),
        (video(), [160]),
    ],
)
def test_a_jpeg_can_be_had_of_everything(client: Any, admin: User, content: bytes, sizes: list[int]) -> None:
    client.force_login(admin)
    version = taken(content, "a/b/The harbour.tif")
    assert [one.longest for one in copies.offered(version) if one.format == "JPEG"] == sizes
    page = client.get(version.asset.get_absolute_url()).content.decode()
    for size in sizes:
        address = f"{version.asset.get_absolute_url()}jpeg/{size}/"
        answer = client.get(address)
        image = Image.open(io.BytesIO(b"".join(answer.streaming_content)))
        assert address in page and image.format == "JPEG" and max(image.size) == size
        assert answer["Content-Disposition"] == 'attachment; filename="The harbour.jpg"'
    assert client.get(f"{version.asset.get_absolute_url()}jpeg/1234/").status_code == 404


def test_a_copy_without_loss_carries_the_words_too(client: Any, admin: User, settings: Any) -> None:
    client.force_login(admin)
    settings.CONTENT_LANGUAGES = ["en", "de"]
    version = taken(encoded(halves(), "BMP"), "harbour.bmp")
    assert [one.format for one in copies.offered(version)] == ["JPEG", "PNG", "TIFF"]
    words = {"alt_text": "Boats", "translated": {"alt_text": {"de": "Boote"}}}
    changes.apply(changes.operation("edit", ""), [version.asset], words)
    for format in ("PNG", "TIFF"):
        answer = client.get(f"{version.asset.get_absolute_url()}{format.lower()}/64/")
        content = b"".join(answer.streaming_content)
        image = Image.open(io.BytesIO(content))
        assert image.format == format and near(image.convert("RGB"), 0.9, 0.5, BLUE, 0)
        assert b"Boats" in content and b'xml:lang="de">Boote' in content
    gone = f"{taken(encoded(halves(), 'TIFF')).asset.get_absolute_url()}tiff/64/"
    assert client.get(gone).status_code == 404


def test_what_the_head_of_a_file_says_of_its_pixels() -> None:
    ink = encoded(Image.new("CMYK", (8, 8)), "TIFF", icc_profile=bytes(CMYK), dpi=(300, 300))
    deep = encoded(Image.new("I;16", (8, 8)), "PNG", dpi=(96, 72))
    for content, facts in (
        (ink, {"Resolution": "300 dpi", "Bit depth": "8 bits for each channel"}),
        (
            deep,
            {"Resolution": "96 × 72 dpi", "Bit depth": "16 bits for each channel", "Colour space": "grey"},
        ),
        (encoded(Image.new("1", (8, 8)), "PNG"), {"Bit depth": "1 bit for each channel"}),
    ):
        version = taken(content)
        extract_metadata(version)()
        version.refresh_from_db()
        found = technical.said(version.embedded_metadata)
        assert facts.items() <= found.items(), found
    assert technical.said(
        {"EXIF": {"ColorSpace": 1, "XResolution": 118, "YResolution": 118, "ResolutionUnit": 3}}
    ) == {
        "Resolution": "299.7 dpi",
        "Colour space": "sRGB",
    }
    assert technical.said({}) == {}


def test_a_jpeg_of_a_damaged_file_is_refused_with_a_reason(client: Any, admin: User) -> None:
    client.force_login(admin)
    content = encoded(Image.effect_noise((300, 300), 90), "PNG")
    asset = taken(content[: len(content) // 2]).asset
    answer = client.get(f"{asset.get_absolute_url()}jpeg/300/", follow=True)
    assert "The JPEG could not be made. The file (PNG) cannot be decoded" in answer.content.decode()


def test_a_jpeg_is_only_for_those_who_see_the_picture(client: Any, viewer: User) -> None:
    client.force_login(viewer)
    version = taken(encoded(halves(), "PNG"))
    Asset.objects.filter(pk=version.asset_id).update(access="restricted")
    assert client.get(f"{version.asset.get_absolute_url()}jpeg/64/").status_code == 404


# --- anything else ----------------------------------------------------------------------------------

ZIP = b"PK\x03\x04" + bytes(40)


@pytest.mark.parametrize(
    ("allowed", "name", "content", "kept"),
    [
        ([], "letter.docx", ZIP, ""),
        (["docx"], "letter.DOCX", ZIP, "wordprocessingml"),
        ([".docx"], "letter.zip", ZIP, ""),
        (["application/zip"], "letter.pdf", ZIP, "application/zip"),
        (["audio/*"], "voice", b"ID3\3" + bytes(40), "audio/mpeg"),
        (["docx"], "letter.docx", b"MZ" + bytes(40), ""),
        (["html"], "page.html", b"<!doctype html><p>x", ""),
        (["jpg"], "picture.jpg", b"\xff\xd8\xff\xe0", ""),
        (["txt"], "notes.txt", b"A note", "text/plain"),
    ],
)
def test_other_kinds_are_kept_if_they_are_allowed(
    settings: Any, allowed: list[str], name: str, content: bytes, kept: str
) -> None:
    settings.OTHER_TYPES = allowed
    found = take_in(content, name)
    assert (found.asset is not None) == bool(kept), found.reason
    if found.asset is not None and found.asset.current_version is not None:
        assert found.asset.current_version.format == "OTHER"
        assert kept in found.asset.current_version.blob.media_type


def test_what_is_no_picture_is_complete_found_by_words_and_a_download(
    client: Any, admin: User, settings: Any, space: Any
) -> None:
    settings.OTHER_TYPES = ["docx"]
    version = taken(ZIP, "Inventory of 1931.docx")
    process(version.asset)
    asset = Asset.objects.for_grid().get()
    card = cards_of([asset])[0]
    assert (card.state, card.kind, card.icon, card.src) == ("searchable", "DOCX", "document", "")
    assert _found("inventory 1931")
    client.force_login(admin)
    page = client.get(asset.get_absolute_url()).content.decode()
    assert "kept as it is, without a preview" in page and "More like this" not in page
    original = client.get(f"{asset.get_absolute_url()}original/?show")
    assert original["Content-Type"] == "application/octet-stream"
    assert original["Content-Disposition"].startswith("attachment")
    assert "DOCX" in client.get("/?q=inventory").content.decode()


def test_a_drawing_is_never_shown_as_it_was_handed_in(client: Any, admin: User) -> None:
    client.force_login(admin)
    version = taken(svg("<script>alert(1)</script>"), "a.svg")
    original = client.get(f"{version.asset.get_absolute_url()}original/?show")
    assert original["Content-Disposition"].startswith("attachment")
    assert original["Content-Type"] == "application/octet-stream"

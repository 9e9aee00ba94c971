"""A real Chromium against the real system, started as people start it."""

import importlib.util
import io
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests import documents
from tests.search import services
from tests.search.serving import Server, serving
from tests.services_fixture import Stack

ARGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]
PATIENCE = 30_000  # milliseconds: it only keeps a test from waiting for ever, and is no claim
expect.set_options(timeout=PATIENCE)
WIDE = {"width": 1440, "height": 900}
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MEASURE_SHIFTS = """
window.shifted = 0;
window.moved = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    window.shifted += entry.value;
    for (const {node} of entry.sources) window.moved.push(node?.id || node?.className || node?.nodeName);
  }
}).observe({type: "layout-shift", buffered: true});
"""


@pytest.fixture(scope="package")
def service() -> Iterator[Server]:
    """A model on a server of its own, that the system may move to."""
    with serving(services.Immich()) as running:
        yield running


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory, service: Server) -> Iterator[Stack]:
    """One system for all modules that need a whole one: see tests/conftest.py."""
    settings = {
        "ENCODERS": "museum",
        "ENCODER_MUSEUM_KIND": "immich",
        "ENCODER_MUSEUM_URL": service.url,
        "ENCODER_MUSEUM_MODEL": services.Immich.model,
        "ENCODER_MUSEUM_DIMENSIONS": str(services.SIZE),
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "UPLOAD_CHUNK_MB": "1",
    }
    with Stack(tmp_path_factory.mktemp("browser") / "data", demo=True, **settings) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("There is no Chromium or Chrome on this machine.")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=ARGS)


@pytest.fixture
def trouble() -> list[str]:
    """What the browser complained of; every test ends by holding it to be empty."""
    return []


@pytest.fixture
def open_page(chromium: Browser, stack: Stack, trouble: list[str]) -> Iterator[Callable[..., Page]]:
    """A page of a new, signed-out browser of some width, with `script=False` without JavaScript."""
    contexts: list[BrowserContext] = []

    def opened(width: int, *, script: bool = True) -> Page:
        phone = width < 600
        context = chromium.new_context(
            base_url=stack.url,
            viewport={"width": width, "height": 844 if phone else 900},
            has_touch=phone,
            is_mobile=phone,
            java_script_enabled=script,
            timezone_id="Asia/Tokyo",
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        if script:
            page.add_init_script(MEASURE_SHIFTS)
        page.on("console", lambda said: trouble.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on(
            "response", lambda got: trouble.append(f"{got.status} {got.url}") if got.status >= 400 else None
        )
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def photographs(tmp_path: Path) -> Callable[[str], list[Path]]:
    """Real photographs out of a package that carries some, saved anew so that each call has its own bytes."""

    def saved(mark: str) -> list[Path]:
        spec = importlib.util.find_spec("skimage")  # found, never imported
        assert spec is not None and spec.origin is not None
        paths = []
        for number, name in enumerate(("chelsea.png", "coffee.png", "rocket.jpg")):
            with Image.open(Path(spec.origin).parent / "data" / name) as image:
                copy = image.convert("RGB")
            copy.putpixel((0, 0), (number, len(mark), int(mark) % 256))
            paths.append(tmp_path / f"{Path(name).stem} {mark}.jpg")
            copy.save(paths[-1], quality=90)
        return paths

    return saved


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core, a script that finds what keeps people from using a page; from a package that carries it."""
    spec = importlib.util.find_spec("axe_playwright_python")  # found, never imported
    assert spec is not None and spec.origin is not None
    return (Path(spec.origin).parent / "axe.min.js").read_text("utf-8")


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    path = tmp_path / "波 noise.png"
    buffer = io.BytesIO()
    Image.effect_noise((700, 500), 80).save(buffer, "PNG")
    path.write_bytes(buffer.getvalue())
    return path


@pytest.fixture
def screenshot(tmp_path: Path) -> Callable[[Page, str], None]:
    """Into the test's own folder; those of the documentation into docs/screenshots, and only when asked for.

    `make screenshots` asks, by SCREENSHOTS=1. A test run leaves the checkout as it is.
    """

    def shoot(page: Page, name: str) -> None:
        if name not in documents.screenshots():
            page.wait_for_load_state("networkidle")
            page.screenshot(path=tmp_path / f"{name}.png")
        elif os.environ.get("SCREENSHOTS") == "1" and page.viewport_size == WIDE:
            page.wait_for_load_state("networkidle")
            page.mouse.move(0, 0)
            with Image.open(io.BytesIO(page.screenshot())) as taken:
                shown = taken.convert("RGB").resize((1000, 625), Image.Resampling.LANCZOS)
            shown.save(documents.SCREENSHOTS / f"{name}.webp", quality=82, method=6)

    return shoot

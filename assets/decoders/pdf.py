"""PDF documents: the first page, how many there are, and their words. By PDFium without a script engine."""

import time

import pypdfium2 as pdfium
from PIL import Image

from assets.decoders import Look, Refused

DOTS, POINTS = 300, 72  # an inch: pixels of the size that a page is said to have, and its own units
SHORTEST, LONGEST = 1600, 6000  # pixels of that size, of the longer side
MAX_WORDS, MAX_PAGES, WORD_SECONDS = 100_000, 500, 8.0  # characters; pages read, and for how long
PROTECTED = "The PDF is protected by a password. Save a copy without one, and upload that."


def look(path: str) -> Look:
    document = _opened(path)
    width, height = document[0].get_size()
    if not (0 < width < 1e6 and 0 < height < 1e6):
        raise Refused("The first page of the PDF has no size. Export it again.")
    side = max(width, height)
    scale = min(max(DOTS / POINTS, SHORTEST / side), LONGEST / side)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return Look(*size, _pages(document), None, "application/pdf")


def show(path: str, longest: int) -> Image.Image:
    page = _opened(path)[0]
    width, height = page.get_size()
    scale = min(longest, LONGEST) / max(width, height)
    image: Image.Image = page.render(scale=scale, may_draw_forms=False).to_pil()
    return image.convert("RGB")


def words(path: str) -> str:
    """The text of the first pages, as far as it can be read in a few seconds."""
    document, until = _opened(path), time.monotonic() + WORD_SECONDS
    found: list[str] = []
    for number in range(min(_pages(document), MAX_PAGES)):
        try:
            found.append(document[number].get_textpage().get_text_bounded())
        except pdfium.PdfiumError:
            continue  # a page that is damaged
        if time.monotonic() > until or sum(map(len, found)) > MAX_WORDS:
            break
    text = "\n".join(" ".join(page.replace("\x00", " ").split()) for page in found).strip()
    return text[:MAX_WORDS].encode(errors="replace").decode()


def _opened(path: str) -> pdfium.PdfDocument:
    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        if "password" in str(error).casefold():
            raise Refused(PROTECTED) from error
        raise
    if len(document) == 0:
        raise Refused("The PDF has no pages, or is damaged. Export it again.")
    return document


def _pages(document: pdfium.PdfDocument) -> int:
    """As many as are there: a file may claim a million."""
    if _is_there(document, len(document) - 1):
        return len(document)
    low, high = 0, len(document) - 1  # the first page is there, the last is not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _is_there(document, middle) else (low, middle)
    return low + 1


def _is_there(document: pdfium.PdfDocument, number: int) -> bool:
    try:
        document[number].close()
    except pdfium.PdfiumError:
        return False
    return True

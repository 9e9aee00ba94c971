"""A line of text on a picture, as large as the picture allows, to be read on light and on dark.

The letters are those that PDFium has in itself for Helvetica, drawn by a document of one line: no font has
to be installed. It has the letters of Western Europe; of others the bare letter is written, or else a
question mark. No Django in here: assets.apart uses it.
"""

import unicodedata

from PIL import Image, ImageChops, ImageFilter

SHARE, SMALLEST, WIDEST = 30, 11, 0.9  # height of a line: a part of the shorter side, pixels; of the width
LONGEST = 150  # characters
BARE = str.maketrans({"Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "ı": "i", "−": "-"})


def marked(image: Image.Image, text: str) -> Image.Image:
    """A copy of the picture, RGB, with this text at its lower edge: white letters in a dark rim."""
    picture = image.convert("RGB")
    height = max(min(picture.size) // SHARE, SMALLEST)
    letters = _letters(text, height)
    most = max(int(picture.width * WIDEST), 1)
    if letters.width > most:
        size = (most, max(letters.height * most // letters.width, 1))
        letters = letters.resize(size, Image.Resampling.LANCZOS)
    rim = max(height // 5, 1)
    place = Image.new("L", picture.size)
    place.paste(letters, (height // 2, max(picture.height - letters.height - height // 2, 0)))
    around = ImageChops.lighter(place.filter(ImageFilter.MaxFilter(2 * rim + 1)), place)
    picture.paste((0, 0, 0), mask=around.point(lambda value: value * 5 // 6))
    picture.paste((255, 255, 255), mask=place)
    return picture


def _letters(text: str, height: int) -> Image.Image:
    """The text as a mask, mode L, cut to what is drawn; `height` is that of the font in pixels."""
    import pypdfium2 as pdfium

    document = pdfium.PdfDocument(_document(written(text), height))
    try:
        drawn = document[0].render(scale=1).to_pil().convert("L")
    finally:
        document.close()
    mask = ImageChops.invert(drawn)
    box = mask.getbbox()
    return mask.crop((box[0], 0, box[2], mask.height)) if box else Image.new("L", (1, 1))


def written(text: str) -> bytes:
    """In the letters of Windows 1252, on one line."""
    line = " ".join(text.split())[:LONGEST].translate(BARE)
    return b"".join(_letter(character) for character in unicodedata.normalize("NFC", line))


def _letter(character: str) -> bytes:
    try:
        return character.encode("cp1252")
    except UnicodeEncodeError:
        return unicodedata.normalize("NFKD", character)[:1].encode("cp1252", "replace")


def _document(text: bytes, height: int) -> bytes:
    """A PDF of one page on which this stands, the smallest that may be."""
    said = text.replace(b"\\", rb"\\").replace(b"(", rb"\(").replace(b")", rb"\)")
    content = b"BT /F1 %d Tf 2 %d Td (%s) Tj ET" % (height, height // 3, said)
    width = height * (len(text) + 1)
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica-Bold/Encoding/WinAnsiEncoding>>"
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]" % (width, height * 3 // 2)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        page + b"/Resources<</Font<</F1 4 0 R>>>>/Contents 5 0 R>>",
        font,
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
    ]
    body, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj%s endobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    end = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (size, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table) + end

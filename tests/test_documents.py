"""Links and screenshots of the documentation lead somewhere."""

from tests.browser import guide
from tests.documents import SCREENSHOTS, documents, screenshots, targets

FOR_A_PAGE = 150_000  # bytes


def test_every_link_between_documents_leads_to_a_file() -> None:
    missing = [f"{one.name}: {path}" for one in documents() for path in targets(one) if not path.exists()]
    assert missing == []


def test_every_screenshot_is_shown_and_small() -> None:
    kept = {path.name: path.stat().st_size for path in SCREENSHOTS.iterdir()}
    assert set(kept) == {f"{name}.webp" for name in screenshots()}
    assert [name for name, size in kept.items() if size > FOR_A_PAGE] == []


def test_the_guide_is_read_as_steps() -> None:
    """That every bold word, example and picture of it is one: what is no step would not be tested."""
    steps = [step for section in guide.sections().values() for step in section]
    text = guide.FIRST_DAY.read_text("utf-8")
    assert sum(step.act != "shoot" for step in steps) == text.count("**") / 2
    assert sum(step.act == "shoot" for step in steps) == text.count("![")
    assert {step.text for step in steps} - {""} >= {"a cat", "Cats"}
    assert guide.sections(" 7")["Make a collection"][3] == guide.Step("write", "Name", "Cats 7")

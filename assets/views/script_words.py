"""What scripts say to people: listed here to be translated, and handed to static/js/words.js by the page."""

from collections.abc import Iterable

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

UPLOAD = (
    _("Waiting"),
    _("Waits until the fields above are right"),
    _("Nothing was sent: please look at the fields, then continue."),
    _("Paused"),
    _("Cancel the {n} that have not arrived? What is here of them is thrown away."),
    _("This XMP file describes a picture that was not chosen with it, and was not sent."),
    _("This file is larger than {size} and was not sent."),
    _("This is {kind}, not a picture, and was not sent. Accepted: {accepted}."),
    _("Choose some pictures first."),
    _("What was dropped could not be read."),
    _("Cancelled; nothing of it is kept."),
    _("It had arrived already"),
    _("Going on"),
    _("Sending"),
    _("{why} Trying again in {seconds} s; what has arrived is kept."),
    _("Sent; the server looks at it"),
    _("The server does not know this file any more."),
    _("It has arrived. Sign in again in another tab to see what became of it."),
    _("This file can no longer be read. It may have been changed or moved: choose it again."),
    _("The server answered {status}."),
    _("The server cannot be reached."),
    _("You have been signed out. Sign in again in another tab, then continue."),
    _("This page has become too old. Load it again, and choose the file again."),
    _("The way to the server lets no pieces of this size through. Tell an administrator."),
    _("Sent of {file}"),
    _("{sent} of {size}"),
    _("Continue"),
    _("Try again"),
    _("Pause"),
    _("Cancel"),
    _("bytes"),
    _("{n} received"),
    _("{n} already here"),
    _("{n} refused"),
    _("{n} not sent"),
    _("{n} paused"),
    _("{n} to go"),
    _("{n} picture"),
    _("{n} pictures"),
    _("{speed} a second, {time} left"),
    _("less than a minute"),
    _("about {n} minute"),
    _("about {n} minutes"),
    _("about {n} hour"),
    _("about {n} hours"),
)

PICTURE = (
    _("The closer view is being prepared…"),
    _("It takes too long."),
    _("The picture cannot be shown closer just now."),
    _("Closer view of {title}"),
    _("Closer view. Arrow keys move, plus and minus zoom, 0 shows all, R turns, Escape ends it."),
    _("A part of the picture could not be loaded."),
    _("The detail to search for"),
    _("Left"),
    _("Top"),
    _("Width"),
    _("Height"),
)
LIBRARY = (
    _("The reasons cannot be shown just now. Please try again in a moment."),
    _("{n} suggestion"),
    _("{n} suggestions"),
)


def translated(texts: Iterable[str]) -> dict[str, str]:
    """By the English text, for json_script with the id `words`; empty where that is the language."""
    return {text: said for text in texts if (said := gettext(text)) != text}

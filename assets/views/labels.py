"""Names of facts and of the steps of processing, listed to be translated; looked up where they are shown.

They are made where nothing is known of languages, and compared there; templates translate the variable.
"""

from django.utils.translation import gettext_noop as _

FACTS = (
    _("Title"),
    _("Maker"),
    _("Description"),
    _("Tags"),
    _("Collection"),
    _("Access"),
    _("Added"),
    _("Accession number"),
    _("Date"),
    _("Medium"),
    _("Places"),
    _("Subjects"),
    _("Credit line"),
    _("Rights"),
    _("Rights holder"),
    _("Usage terms"),
    _("Camera"),
    _("Taken at"),
    _("File name"),
    _("Format"),
    _("Size"),
    _("Version"),
    _("Drawn with"),
    _("Pixels"),
    _("Pages"),
    _("Duration"),
    _("Resolution"),
    _("Colour space"),
    _("Bit depth"),
)
STEPS = (_("Preview"), _("Embedded metadata"), _("Look-alikes"), _("Likeness"), _("Words"))

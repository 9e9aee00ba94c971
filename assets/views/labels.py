"""Names of facts, fields, kinds of files and steps, listed to be translated; looked up where they are shown.

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
FIELDS = (
    _("Add a tag"),
    _("Alt text"),
    _("Creator"),
    _("Creators"),
    _("Embargo until"),
    _("Text for people who cannot see the picture"),
    _("A new name makes a new collection."),
    _("A new name makes a new collection. Write “Prints / Hokusai” for one inside another."),
    _("For all these pictures; put semicolons between several."),
    _("Put semicolons between several."),
    _("Only if all these pictures show one and the same object."),
    _("As it should be read: c. 1710, 1880s, 18th century."),
    _("Material and technique."),
    _(
        "A statement, or a URI of RightsStatements.org. Who does not manage the collection can make it "
        "stricter, and not freer."
    ),
    _("What others may do with pictures of it."),
    _("Restricted pictures are seen by administrators, and by those who are allowed to here."),
    _("Until then it is seen by administrators, and by those who are allowed to here."),
)
KINDS = (_("Camera raw"), _("Video"), _("Other"))
COUNTED = (_("pages"), _("frames"), _("pictures"), _("Pages"), _("Frames"), _("Pictures"))
NO_PICTURES = (
    _("a text document"),
    _("a table"),
    _("a presentation"),
    _("an archive"),
    _("a sound recording"),
    _("a program"),
    _("a web page or data"),
    _("a font"),
    _("a 3D model"),
    _("JPEG, PNG, GIF, WebP, TIFF, BMP, JPEG 2000, AVIF, HEIC, Photoshop, PDF, SVG, camera raw and video"),
)
SOURCES = (_("upload page"), _("page of an object"), _("demonstration"))
STEPS = (_("Preview"), _("Embedded metadata"), _("Look-alikes"), _("Likeness"), _("Words"))

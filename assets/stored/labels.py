"""What labels of operations and of work on terms say."""

from assets.stored.marking import gettext_noop as _
from assets.stored.marking import ngettext_noop

HIDDEN_HOME = _("Moved to another collection, or changed together with that")
"""Where a name of a collection is not for who reads it."""
PICTURES = (
    _("Uploaded %(name)s"),
    _("Described %(name)s"),
    _("Read from %(name)s"),
    _("Edited %(name)s"),
    _("Made %(name)s"),
    _("New file: %(name)s"),
    _("Shown again: version %(number)s"),
    ngettext_noop("Added the tag %(tags)s", "Added the tags %(tags)s"),
    ngettext_noop("Removed the tag %(tags)s", "Removed the tags %(tags)s"),
    ngettext_noop("Added the suggested tag %(tags)s", "Added the suggested tags %(tags)s"),
    _("Moved to the trash: %(number)s pictures"),
    _("Moved to the trash: %(name)s"),
    _("Restored: %(number)s pictures"),
    _("Restored: %(name)s"),
    _("Deleted for good: %(number)s pictures"),
    _("Deleted for good: %(name)s"),
    _("Deleted for good: %(number)s pictures (after %(days)s days in the trash)"),
    _("Deleted for good: %(name)s (after %(days)s days in the trash)"),
    _("Undone: %(what)s"),
    _("Undone: %(what)s (%(number)s later changes kept)"),
    _("Described again as on %(moment)s: %(title)s"),
    _("Kept one of two duplicates"),
    _("Two pictures were said to be duplicates"),
    _("One picture was said to be a version of another"),
    _("One picture was said to be a detail of another"),
    _("One picture was said to be the verso of another"),
    _("Two pictures were said to be unrelated"),
    _("Noted a consent"),
    _("Noted that a consent was withdrawn"),
    _("Removed the note of a consent"),
    HIDDEN_HOME,
)
OBJECTS = (
    _("Made a new object"),
    _("Made the object %(name)s"),
    _("Added a picture to %(name)s"),
    _("Took a picture out of %(name)s"),
    _("Arranged the pictures of %(name)s"),
    _("Moved to the trash: the object %(name)s"),
    _("Restored: the object %(name)s"),
    _("Imported the objects of %(name)s, lines %(first)s to %(last)s"),
)
COLLECTIONS = (
    _("Made the collection %(name)s"),
    _("Edited the collection %(name)s"),
    _("Deleted the collection %(name)s"),
    ngettext_noop(
        "Deleted the collection %(name)s; moved %(number)d picture",
        "Deleted the collection %(name)s; moved %(number)d pictures",
    ),
    _("Changed the cover of the collection %(name)s"),
    _("Changed who may do what in the library"),
    _("Changed who may do what in %(name)s"),
    _("Set back the collection %(name)s to %(moment)s"),
    _("Set back who may do what in the library to %(moment)s"),
    _("Deleted the light table %(name)s"),
    ngettext_noop("Put %(number)d picture on %(name)s", "Put %(number)d pictures on %(name)s"),
    ngettext_noop("Took %(number)d picture off %(name)s", "Took %(number)d pictures off %(name)s"),
)
TERMS = (
    _("Made the term %(name)s"),
    _("Edited the term %(name)s"),
    _("Set back the term %(name)s to %(moment)s"),
    _("Renamed the term %(name)s to %(new)s"),
    _("Deleted the term %(name)s"),
    _("Merged %(names)s into %(name)s"),
    _("Imported %(file)s into %(name)s"),
)
AROUND = ngettext_noop("%(what)s (%(number)s picture)", "%(what)s (%(number)s pictures)")
"""What a bulk change was, and how many pictures it was about; looked for before all others."""
BULK = (
    ngettext_noop("Add the tag %(tags)s", "Add the tags %(tags)s"),
    ngettext_noop("Remove the tag %(tags)s", "Remove the tags %(tags)s"),
    _("Move to the collection %(path)s"),
    _("Set the access to “%(access)s”"),
    _("Lift the embargo"),
    _("Set an embargo until %(date)s"),
    _("Take away the end of the licence"),
    _("Let the licence end on %(date)s"),
    _("Allow all uses"),
    _("Set “not for” to: %(uses)s"),
    _("Move to the trash"),
    _("Replace “%(find)s” by “%(put)s” in: %(field)s"),
    _("Take away what is written in: %(field)s"),
    _("Set %(field)s to “%(value)s”"),
    _("Where nothing is written, set %(field)s to “%(value)s”"),
)
VOCABULARIES = (_("Creators"), _("Places"), _("Subjects"), _("Tags"))
"""That are here from the beginning."""
SENTENCES = (AROUND, *VOCABULARIES, *PICTURES, *OBJECTS, *COLLECTIONS, *TERMS, *BULK)

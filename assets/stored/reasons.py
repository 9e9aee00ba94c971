"""What reasons say: why a file was refused, a step failed, or a row of an import needs a look."""

from assets.stored.marking import gettext_noop as _

FILES = (
    _("The file is empty (0 bytes). It may not have been copied completely."),
    _("The picture has no width or no height."),
    _(
        "The picture is damaged, or stored in a way that is not known here: not even its size can be read. "
        "Copy or export it again."
    ),
    _(
        "The picture has %(width)s x %(height)s pixels; the limit is %(most)s megapixels. "
        "An administrator can raise MAX_MEGAPIXELS."
    ),
    _("The picture's header is damaged (%(error)s). Export or copy it again."),
    _(
        "This is %(what)s, not a picture. Accepted: %(formats)s. "
        "An administrator can allow further kinds with OTHER_TYPES."
    ),
    _("a zip archive or an Office document"),
    _("a gzip archive"),
    _("a 7-Zip archive"),
    _("a RAR archive"),
    _("an old Office document"),
    _("a program"),
    _("an XML document"),
    _("a text document"),
    _("a sound recording"),
    _("a 3D model"),
    _("a web page"),
    _("a text file"),
    _("an unknown kind of file"),
    _("The file is larger than %(most)s MB."),
    _("The file cannot be read: %(error)s."),
    _("The file cannot be read: %(error)s"),
    _("The disk of the library is full. Nothing of the file was kept: make room, and send it again."),
    _("%(name)s was not stored as it was sent. Send the file again."),
    _("Already here."),
    _("Already here, its description was updated."),
    _("Another file was taken in from this place before. This one is a picture of its own beside it."),
    _("The picture is here, its description was not applied: %(why)s"),
    _("Something unexpected went wrong (%(error)s). Try it again."),
    _("Something unexpected went wrong (%(error)s)."),
    _("The object with this number cannot be changed by you. Ask an administrator."),
    _("This XMP file describes a picture that did not come with it."),
    _("The XMP file beside it is too large to be right, and was left out."),
    _("The XMP file beside it was left out. %(error)s"),
)
DECODING = (
    _(
        "%(kind)s files need the Python package that has %(name)s, which is not installed on this server. "
        "An administrator can install it: see “File formats” in docs/operations.md."
    ),
    _(
        "The file (%(kind)s) is damaged, or stored in a way that is not known here (%(error)s). "
        "Copy or export it again."
    ),
    _("The file (%(kind)s) cannot be decoded completely (%(error)s). Export or copy it again."),
    _(
        "The file needs more than %(number)s seconds of work to be shown, and was given up. "
        "An administrator can allow more."
    ),
    _("The file needs more than %(number)s MB of memory to be shown."),
    _("The decoder was stopped from outside: perhaps this machine had no memory left."),
    _(
        "The decoder stopped (status %(number)s): the file is damaged, "
        "or needs more than %(most)s MB of memory."
    ),
    _("Decoding took longer than %(number)s seconds and was stopped."),
    _("The original is missing from storage. Restore it from a backup."),
    _("The file is truncated: it ends before the picture does. Copy or export it again."),
    _("The picture cannot be decoded (%(error)s). Copy or export it again."),
    _("The small preview cannot be read. Retry the stage that makes the previews."),
    _("There is no preview to look at. Try the picture again, from its preview on."),
    _("The metadata in the file cannot be read (%(error)s)."),
    _("The PDF is protected by a password. Save a copy without one, and upload that."),
    _("The PDF has no pages, or is damaged. Export it again."),
    _("The first page of the PDF has no size. Export it again."),
    _("The Photoshop document is damaged: it ends before the picture does. Copy or save it again."),
    _(
        "The Photoshop document has no merged picture inside. "
        "Save it again with “Maximize compatibility” turned on."
    ),
    _("Photoshop documents of %(number)s bits in this colour mode are not known here. Save a copy as TIFF."),
    _("The Photoshop document is compressed in a way that is not known here. Save it as TIFF."),
    _("This camera's raw format is not known here, or the file is damaged. Export it as DNG or TIFF."),
    _(
        "The drawing defines XML entities of its own, which can be used to do harm. "
        "Open it in a drawing program and save it as plain SVG."
    ),
    _("The drawing is larger than %(most)s MB. Simplify it, or export it as TIFF."),
    _("This is an XML document, not a drawing."),
    _("The drawing is no correct XML (%(error)s). Export it again."),
    _("The drawing has too many groups inside groups. Simplify it, or export it as TIFF."),
    _("The drawing is %(width)s wide and %(height)s high, which cannot be shown."),
    _(
        "There is no video in this file that can be decoded here. "
        "Convert it to MP4 (H.264), or copy it again."
    ),
)
STEPS = (
    _("It took longer than %(number)s seconds and was stopped. The file may be damaged or very large."),
    _("It took longer than %(number)s seconds and did not stop when it was asked to."),
    _("It did not work in %(number)s attempts. The last error: %(error)s"),
    _(
        "%(number)s workers stopped while working on this file, so it is left alone. It may be damaged, or "
        "need more memory than the server has; an administrator finds more in the worker's log."
    ),
    _("Cancelled by %(who)s while it waited. Try it again to have it done."),
    _("The encoder %(name)s gave no usable vector for this picture."),
    _("The embedding space was dropped."),
    _("A worker died over this three times in a row."),
    _("A worker died over this three times in a row, after %(number)s pictures."),
    _("A worker died over this three times in a row, the last time after row %(number)s."),
)
UPLOADS = (
    _("This is more than the whole file was said to have."),
    _("You have too many unfinished uploads. Finish some of them or remove them first."),
    _("Something was changed on the way; it must be sent again."),
    _("There is not enough room on the server's disk at present."),
    _("The server's disk is full. What has arrived is kept."),
    _("Another connection is sending this file just now."),
    _("It could not be taken in, in %(number)s attempts. Look at the file, and try again."),
    _("This file has not arrived completely, or was taken already."),
    _("This file was taken already."),
    _("It has been taken in already."),
    _("There is no such upload."),
    _("Sign in, or send a token."),
    _("This upload was left alone for too long and is removed. Begin again."),
    _("Too many files are arriving at this moment. Try again in a few seconds."),
)
ROWS = (
    _("It has neither a file nor an accession number, so that nobody could tell what it is about."),
    _("It has no accession number, so that nobody could tell which object it is."),
    _("%(text)s cannot be an accession number."),
    _("“%(text)s…” is too long for an accession number."),
    _("Row %(row)s names this file too, under another accession number."),
    _("Row %(row)s has the same picture, under another accession number."),
    _("Row %(row)s names this file too, and says something else."),
    _("Row %(row)s has the same picture, and says something else."),
    _("Row %(row)s has the accession number %(text)s too, and says something else."),
    _("Line %(row)s has the accession number %(text)s too, and says something else."),
    _("No row of the table names this file."),
    _("No year is found in the date “%(date)s”, so that it is not found by year."),
    _("The cell for %(field)s holds the error %(value)s."),
    _("The spreadsheet made a date of the %(field)s: %(value)s."),
    _("The spreadsheet keeps the %(field)s as the number %(value)s: zeros at its end may be lost."),
    _("The same picture as in row %(row)s."),
    _("The file %(name)s is not there any more."),
    _("The file %(name)s is not there."),
    _("%(number)s files are called %(name)s; the row has to name the folder too."),
    _("One of the fields that were chosen does not exist any more."),
    _("There is no field %(name)s any more."),
    _(
        "One column has to say which file or which object a row is about: choose one for the file name or "
        "for the accession number."
    ),
    _("The table is empty: its first row should name the columns."),
    _("The table has %(number)s columns; %(most)s are the most."),
    _("The table has more than %(number)s rows. Divide it into several."),
    _("A cell in row %(row)s has more than %(number)s characters."),
    _("The sheet has more than %(number)s rows. Divide it into several."),
    _("Its letters were read as %(name)s."),
    _("This is no table. Save it as CSV or XLSX."),
    _("This is a workbook of an old or protected kind. Save it as XLSX without a password, or as CSV."),
    _("The workbook is damaged. Open it, save it again, and try once more."),
    _("The workbook is damaged or no workbook. Open it, save it again as XLSX, and try once more."),
    _("This is an archive, not a workbook. Save the table as XLSX or CSV."),
    _("The workbook is too large when it is unpacked. Save the table as CSV."),
    _("The workbook has no sheet with a table."),
)
SOURCES = (
    _("The archive is damaged at this file."),
    _("The archive has more than %(number)s files. Divide it into several."),
    _("The archive would unpack to more than %(number)s GB; this file is beyond that."),
    _("It is protected by a password."),
    _("It is a link or a device, and no file."),
    _("It is packed by a method that is not read here. Pack it as an ordinary zip archive."),
    _("It would unpack to so many times its size that it cannot be a picture."),
    _("%(name)s is no zip archive, or has lost its end."),
    _("It is a link to a place outside of the folder, so that it was not read."),
    _("Its name leads out of where it comes from, so that it was not read."),
    _("There is no file or folder %(name)s."),
    _("This is no IIIF manifest."),
    _("This is no IIIF manifest: it is no JSON."),
    _("The connection broke before the file was complete."),
    _("It is larger than %(most)s MB."),
    _("%(host)s redirects again and again."),
    _("%(host)s is in a private network, which imports may not read from."),
    _("There is no server called %(host)s."),
    _("%(host)s was too slow, and was given up."),
    _("%(host)s wants a login for it."),
    _("%(host)s does not let us have it."),
    _("%(host)s has nothing at this address."),
    _("%(host)s has it no more."),
    _("%(host)s is asked too often. Try it again later."),
    _("%(host)s has trouble of its own (%(status)s)."),
    _("%(host)s refused it (%(status)s)."),
    _("%(host)s did not answer in time."),
    _("%(host)s cannot be reached."),
    _("The certificate of %(host)s is not to be trusted."),
    _("The connection to %(host)s broke before the answer was complete."),
    _("Only addresses that begin with http:// or https:// can be fetched."),
    _("An address with a name or password in it is not fetched."),
    _("This is no address that can be fetched."),
)
REFUSED = (
    _("Another record has the accession number %(text)s."),
    _("“%(text)s” is too long for an accession number."),
    _("It was deleted for good meanwhile. A backup may still have it."),
    _("You may not put pictures into the collection “%(name)s”."),
    _("You may not make new collections. Choose one of those that are offered."),
    _("You may not change the vocabulary."),
)
SENTENCES = (*REFUSED, *FILES, *DECODING, *STEPS, *UPLOADS, *ROWS, *SOURCES)

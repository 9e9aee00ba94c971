"""What a column may be, and which one its header means, in the languages and systems of museums."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from django.utils.translation import gettext_noop as _

from assets import own
from assets.models import FieldDefinition
from assets.text import fold

OWN = "field:"  # before the slug of a field that the museum added


class Target(NamedTuple):
    key: str
    """`file`, one of assets.words.WORD_KEYS, or `field:` and an own field, in another language than the
    first with its code: `field:note`, `field:note__de`."""
    label: str
    several: bool = False
    """Whether a cell may hold several values."""


TARGETS = (
    Target("file", _("File name")),
    Target("accession", _("Accession number")),
    Target("title", _("Title")),
    Target("creator", _("Maker"), several=True),
    Target("date", _("Date")),
    Target("medium", _("Material and technique")),
    Target("description", _("Description")),
    Target("tags", _("Tags"), several=True),
    Target("places", _("Places"), several=True),
    Target("subjects", _("Subjects"), several=True),
    Target("collection", _("Collection")),
    Target("credit_line", _("Credit line")),
    Target("rights", _("Rights")),
    Target("rights_holder", _("Rights holder")),
    Target("usage_terms", _("Terms of use")),
)
# Headers in English, German, French and Dutch, of Dublin Core, ResourceSpace, MuseumPlus and TMS; written as
# `_plain` makes them: small letters and digits, no accents, no spaces.
HEADERS = {
    "file": "file filename files image imagefile imagefilename picture pictures photo media mediafile path "
    "filepath originalfilename originalfile datei dateiname bild bilddatei bildname foto abbildung fichier "
    "nomdefichier nomdufichier nomfichier image1 bestand bestandsnaam afbeelding mulfilename "
    "mulobjfiletxt primaryimage reproductie",
    "accession": "accession accessionnumber accessionno accessionnr accno accnumber objectnumber objectno "
    "objectid inventorynumber inventoryno inventory invno identifier dcidentifier dctermsidentifier "
    "cataloguenumber catalognumber inventarnummer inventarnr invnr inventar objektnummer objektnr signatur "
    "ndinventaire numeroinventaire numerodinventaire ninventaire noinventaire numinventaire inventaire cote "
    "inventarisnummer objectnummer inventarisnr objobjectnumbertxt objobjectnumbervrt "
    "accessienummer zugangsnummer",
    "title": "title titles objecttitle objectname name worktitle dctitle dctermstitle caption headline titel "
    "objekttitel bezeichnung objektbezeichnung titre titreoeuvre denomination intitule benaming objectnaam "
    "objobjecttitlevrt objobjecttitlegrp objecttitel titelwerk werktitel",
    "creator": "creator creators artist artists maker makers author authors photographer dccreator "
    "dctermscreator attribution attributedto artistmaker displayname artistdisplayname namedpersons "
    "namedpersonsname kunstler kunstlerin hersteller urheber autor fotograf schopfer beteiligte person "
    "personen artiste auteur auteurs createur fabricant photographe vervaardiger maker1 kunstenaar fotograaf "
    "objpersonref objpersonvrt createurs kunstlerinnen herstellerin",
    "date": "date dates dated datecreated creationdate dateofcreation productiondate year years dcdate "
    "dctermscreated dctermsdate created period datierung datum entstehungsdatum entstehungszeit jahr zeit "
    "datecreation datedecreation annee epoque datation datering jaar vervaardigingsdatum objdatevrt "
    "objdategrp objdatetxt displaydate",
    "medium": "medium materials material technique techniques materialtechnique mediumtechnique mediums "
    "materialsandtechniques materialandtechnique dcformat dctermsmedium technik materialundtechnik "
    "materialtechnik werkstoff materiau materiaux materiauxtechniques techniquemateriau materiaal techniek "
    "materiaaltechniek objmaterialtechniquevrt objmaterialtechniquegrp objtechnicaltermvrt",
    "description": "description descriptions dcdescription dctermsdescription notes note abstract text "
    "beschreibung objektbeschreibung bemerkung kurzbeschreibung descriptif commentaire beschrijving "
    "omschrijving objdescriptionclb objtextonlineclb objectdescription",
    "tags": "tags tag keywords keyword stichworte stichwort schlagworte schlagwort schlagworter motscles "
    "motcle motsclefs trefwoorden trefwoord etiquettes labels",
    "places": "places place location locations placemade placeoforigin origin dccoverage dctermsspatial "
    "country city ort orte herstellungsort entstehungsort herkunft land lieu lieux lieudecreation pays "
    "plaats plaatsvervaardiging herkomst objgeograficvrt objgeographyvrt",
    "subjects": "subject subjects dcsubject dctermssubject theme themes topic iconography iconclass thema "
    "themen sujet sujets iconographie onderwerp onderwerpen ikonographie motiv",
    "collection": "collection collections department album dctermsispartof sammlung bestandsgruppe abteilung "
    "fonds departement collectie afdeling objcollectionvoc objcategoryvoc sammlungsbereich",
    "credit_line": "creditline credit credits courtesy creditlinie herkunftsvermerk mentioncredit "
    "mentionobligatoire lignedecredit herkomstvermelding objcreditlinevrt objcreditlinegrp provenienz",
    "rights": "rights dcrights dctermsrights rightsstatement license licence licenses copyrightstatus rechte "
    "lizenz droits rechten licentie rechtestatus objrightsgrp",
    "rights_holder": "rightsholder dctermsrightsholder copyright copyrightholder copyrightowner "
    "rechteinhaber rechtehalter titulairedesdroits ayantdroit rechthebbende bildrechte",
    "usage_terms": "usageterms termsofuse usage conditionsofuse usagerights nutzungsbedingungen "
    "nutzungsrechte conditionsdutilisation gebruiksvoorwaarden",
}
KNOWN = {word: key for key, words in HEADERS.items() for word in words.split()}


def targets() -> list[Target]:
    """All that a column may be, the museum's own fields at the end."""
    slots = [slot for kind in FieldDefinition.AppliesTo.values for slot in own.slots(kind)]
    return [
        *TARGETS,
        *(
            Target(OWN + slot.name.removeprefix(own.PREFIX), slot.label, slot.definition.repeatable)
            for slot in slots
        ),
    ]


def guessed(headers: Iterable[str], among: Iterable[Target]) -> list[str]:
    """The key of a target for each header, or an empty text; only what may be repeated is taken twice."""
    by_key = {target.key: target for target in among}
    known = {_plain(name): key for key, target in by_key.items() for name in (target.label, key)}
    known |= {word: key for word, key in KNOWN.items() if key in by_key}
    found: list[str] = []
    for header in headers:
        key = known.get(_plain(header), "") or known.get(_plain(re.sub(r"[(\[].*?[)\]]", "", header)), "")
        again = key in found and not by_key[key].several if key else True
        found.append("" if again else key)
    return found


def _plain(header: str) -> str:
    """`Inventar-Nr.` -> `inventarnr`, `dc:title` -> `dctitle`, `Künstler/in` -> `kunstlerin`."""
    return re.sub(r"[\W_]+", "", fold(header))

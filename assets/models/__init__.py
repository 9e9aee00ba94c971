"""The data of the picture memory; docs/decisions/0001 to 0003 say why it has this shape."""

from assets.models.bulk import BulkJob, BulkRefusal
from assets.models.care import StorageEvent, Tombstone
from assets.models.collections import AssetSet, Collection, SetItem
from assets.models.described import Described, FieldDefinition
from assets.models.duplicates import DuplicateCandidate, Fingerprint, Relation
from assets.models.history import Change, Operation
from assets.models.imports import ColumnMapping, Import, ImportRow
from assets.models.licences import Download, LicenceRules, RightsSeen, Use
from assets.models.permissions import ROLES, Grant, make_roles
from assets.models.pictures import Asset, AssetTerm, AssetVersion, Blob, DocumentText, Rendition
from assets.models.records import Depiction, Record, RecordTerm
from assets.models.sharing import ShareLink, ShareUse
from assets.models.uploads import Upload
from assets.models.vocabulary import (
    CREATORS,
    PLACES,
    SUBJECTS,
    TAGS,
    TagAnswer,
    Term,
    TermRedirect,
    TermWork,
    Vocabulary,
)
from assets.models.work import Batch, BatchItem, Origin, StageRun, WatchedFolder

__all__ = [
    "CREATORS",
    "PLACES",
    "ROLES",
    "SUBJECTS",
    "TAGS",
    "Asset",
    "AssetSet",
    "AssetTerm",
    "AssetVersion",
    "Batch",
    "BatchItem",
    "Blob",
    "BulkJob",
    "BulkRefusal",
    "Change",
    "Collection",
    "ColumnMapping",
    "Depiction",
    "Described",
    "DocumentText",
    "Download",
    "DuplicateCandidate",
    "FieldDefinition",
    "Fingerprint",
    "Grant",
    "Import",
    "ImportRow",
    "LicenceRules",
    "Operation",
    "Origin",
    "Record",
    "RecordTerm",
    "Relation",
    "Rendition",
    "RightsSeen",
    "SetItem",
    "ShareLink",
    "ShareUse",
    "StageRun",
    "StorageEvent",
    "TagAnswer",
    "Term",
    "TermRedirect",
    "TermWork",
    "Tombstone",
    "Upload",
    "Use",
    "Vocabulary",
    "WatchedFolder",
    "make_roles",
]

"""What people may send, checked before it is used."""

from assets.forms.describing import MOMENTS, DescriptionForm, NewRecordForm
from assets.forms.handing_in import (
    AboutPictures,
    AddPictureForm,
    FilesField,
    NewVersionForm,
    UploadForm,
    UploadMetadataForm,
    refuse_too_large,
)
from assets.forms.labels import (
    LONGEST_NAME,
    SEVERAL,
    CollectionField,
    LabelsField,
    collection_path,
    printable,
    term_patch,
    too_long,
)
from assets.forms.pictures import KeepForm, RelationForm, TagsForm

__all__ = [
    "LONGEST_NAME",
    "MOMENTS",
    "SEVERAL",
    "AboutPictures",
    "AddPictureForm",
    "CollectionField",
    "DescriptionForm",
    "FilesField",
    "KeepForm",
    "LabelsField",
    "NewRecordForm",
    "NewVersionForm",
    "RelationForm",
    "TagsForm",
    "UploadForm",
    "UploadMetadataForm",
    "collection_path",
    "printable",
    "refuse_too_large",
    "term_patch",
    "too_long",
]

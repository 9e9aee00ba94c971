"""All pictures of a link as one zip: at each of them the link is asked anew."""

from collections.abc import Callable

from django.utils.translation import gettext as _

from assets import copies, licensing
from assets.bulk.archive import ORIGINAL, Archive, Content, Missing, with_words
from assets.licensing import Verdict
from assets.metadata.present import Statement
from assets.models import Asset, AssetVersion, ShareLink
from assets.querysets import AssetQuerySet
from assets.sharing import looking


class SharedArchive(Archive):
    def __init__(self, link: ShareLink, ids: list[int], longest: int, done: Callable[[], None]) -> None:
        assert link.maker is not None  # noqa: S101 - else the link would not be open
        super().__init__(link.maker, ids, longest, lambda path: "", done)
        self.link = link

    def there(self) -> AssetQuerySet:
        link = ShareLink.objects.open().select_related("maker").filter(pk=self.link.pk).first()
        if link is None:
            return Asset.objects.none()
        return looking.pictures(link, "original" if self.longest == ORIGINAL else "download")

    def verdict(self, asset: Asset) -> Verdict:
        return licensing.for_guest(asset, original=self.longest == ORIGINAL)

    def note(self, asset: Asset, content: Content) -> None:
        """The use of a link is noted as a whole."""

    def content(self, version: AssetVersion, says: Statement, verdict: Verdict) -> Content:
        """Never the original where that is not given out, however small it is."""
        if self.longest == ORIGINAL:
            return super().content(version, says, verdict)
        largest = next((one for one in looking.copies_of(self.link, version, verdict)), None)
        if largest is None:
            raise Missing(_("There is no picture in this file, so no copy of it."))
        return with_words(copies.made(version, largest, verdict.mark), "JPEG", says, "", ".jpg")

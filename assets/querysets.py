"""Chainable filters. Permission is decided here, in `visible_to`, and nowhere else."""

from typing import TYPE_CHECKING, Any, TypeVar

from django.apps import apps
from django.db import models
from django.db.models import Exists, Func, OuterRef, Q, Value

from assets import scopes

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User
    from assets.models import Asset, AssetSet, Collection, Term, Vocabulary  # noqa: F401 (in strings below)

MAX_DEPTH = 20  # of collections in collections
MAY_BE_LONG = ("current_version__embedded_metadata", "current_version__sidecar")
M = TypeVar("M", bound=models.Model)


class LiveQuerySet(models.QuerySet[M]):
    def live(self) -> "LiveQuerySet[M]":
        return self.filter(trashed_at=None)

    def trashed(self) -> "LiveQuerySet[M]":
        return self.exclude(trashed_at=None)


class AssetQuerySet(LiveQuerySet["Asset"]):
    def live(self) -> "AssetQuerySet":
        return self.filter(trashed_at=None)

    def visible_to(self, user: "User | AnonymousUser") -> "AssetQuerySet":
        """What `user` may see: nothing signed out, else what is public or in a collection granted to them.

        What was public is not, once its licence or a consent has ended. Restricted and embargoed assets only
        where that is granted as well.

        search.sql repeats this rule on the search rows; tests hold the two together.
        """
        scope = scopes.scope_of(user)
        public = Q(access="public") & scopes.rights_last()
        return self.filter(scope.visible(public)) if scope.signed_in else self.none()

    def allowing(self, user: "User | AnonymousUser", action: str) -> "AssetQuerySet":
        """Those with which `user` may do this: see, download, original, describe, manage or share."""
        homes = scopes.scope_of(user).of(action)
        seen = self.visible_to(user)
        return seen if action == "see" or homes == scopes.EVERYWHERE else seen.filter(homes.q())

    def for_grid(self) -> "AssetQuerySet":
        """With everything that a thumbnail card shows, in a fixed number of queries."""
        found = self.select_related("current_version__blob", "collection")
        found = found.defer(*MAY_BE_LONG)
        return found.prefetch_related("current_version__renditions", "depictions__record")

    def with_words(self) -> "AssetQuerySet":
        """With all that assets.descriptions.weighted_text reads, in a fixed number of queries."""
        terms = "term_uses__term__vocabulary"
        found = self.select_related("collection", "current_version__blob", "current_version__document_text")
        found = found.defer(*MAY_BE_LONG)
        return found.prefetch_related(terms, f"depictions__record__{terms}")

    def awaited(self) -> "AssetQuerySet":
        """Those whose picture has still to come."""
        return self.filter(current_version=None)

    def in_collection(self, collection: "Collection") -> "AssetQuerySet":
        return self.filter(collection__in=collection.with_descendants())


def path_parts(path: str) -> list[str]:
    """The names of a path such as `Prints / Japan`, at most MAX_DEPTH of them, each fit to be stored."""
    parts = (" ".join(part.replace("\x00", " ").split())[:200] for part in path.split(" / "))
    return [part for part in parts if part][:MAX_DEPTH]


class CollectionQuerySet(models.QuerySet["Collection"]):
    def named(self, path: str) -> "Collection":
        """The collection of this name, made when missing; ` / ` separates nested ones."""
        from assets.text import label_key

        parent: Collection | None = None
        for part in path_parts(path):
            parent, _ = self.get_or_create(parent=parent, key=label_key(part)[:200], defaults={"name": part})
        if parent is None:
            raise ValueError("A collection needs a name.")
        return parent

    def matching(self, written: str) -> "CollectionQuerySet":
        """Those meant by a name, or by a path such as `Prints / Japan`; capitals and spaces do not count."""
        from assets.text import label_key

        found = self
        for depth, part in enumerate(reversed(path_parts(written))):
            found = found.filter(**{"parent__" * depth + "key": label_key(part)[:200]})
        return found if path_parts(written) else self.none()


class AssetSetQuerySet(models.QuerySet["AssetSet"]):
    def visible_to(self, user: "User | AnonymousUser") -> "AssetSetQuerySet":
        """Light tables that `user` may look at and arrange: one's own, shared ones, and those of nobody."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(Q(owner=user.pk) | Q(shared=True) | Q(owner=None))


class TermQuerySet(models.QuerySet["Term"]):
    def labelled(self, vocabulary: "str | Vocabulary", label: str) -> "Term":
        """The term of this label in a vocabulary (by slug), made when missing."""
        from assets.models import Vocabulary
        from assets.text import label_key

        if isinstance(vocabulary, str):
            vocabulary = Vocabulary.objects.get(slug=vocabulary)
        label = " ".join(label.replace("\x00", " ").split())[:200]
        if not label:
            raise ValueError("A term needs a label.")
        defaults: dict[str, Any] = {"label": label}
        key = label_key(label)[:200]
        if not self.filter(vocabulary=vocabulary, key=key).exists():
            meant = list(self.filter(vocabulary=vocabulary, other_keys__contains=[key])[:2])
            if len(meant) == 1:
                return meant[0]
        return self.get_or_create(vocabulary=vocabulary, key=key, defaults=defaults)[0]

    def in_vocabulary(self, slug: str) -> "TermQuerySet":
        return self.filter(vocabulary__slug=slug)

    def in_use(self) -> "TermQuerySet":
        """Those that a picture or an object has."""
        return self.filter(Exists(self._uses("AssetTerm")) | Exists(self._uses("RecordTerm")))

    def unused(self) -> "TermQuerySet":
        return self.exclude(Exists(self._uses("AssetTerm")) | Exists(self._uses("RecordTerm")))

    def called(self, text: str) -> "TermQuerySet":
        """Those of which any label has words that begin as these do, in any language."""
        said = Func(Value(text), function="label_words", output_field=models.TextField())
        return self.filter(Q(words__contains=said) | Q(other_words__contains=said))

    @staticmethod
    def _uses(model: str) -> Any:
        uses: Any = apps.get_model("assets", model)
        return uses._default_manager.filter(term=OuterRef("pk"))

"""What people say when they share."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assets.models import ShareLink
from assets.sharing import links

MOMENT = "%Y-%m-%dT%H:%M"
SHORTEST_PASSWORD = 8


class EndField(forms.DateTimeField):
    """In the zone of the person who looks; to the minute."""

    def __init__(self) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MOMENT)
        super().__init__(label=_("Ends"), widget=widget)

    def clean(self, value: Any) -> Any:
        until = super().clean(value)
        if until <= timezone.now():
            raise ValidationError(gettext("This moment is over. Choose a later one."))
        if until > links.latest() + timedelta(minutes=1):
            said = gettext("A link ends at the latest on %(day)s.")
            raise ValidationError(said % {"day": date_format(timezone.localtime(links.latest()))})
        return until


def usual_end() -> str:
    days = min(settings.SHARE_DAYS, settings.SHARE_MOST_DAYS)
    return (timezone.localtime() + timedelta(days=days)).strftime(MOMENT)


def plain(text: str) -> str:
    return "\n".join(text.replace("\0", "").splitlines())


class ShareForm(forms.Form):
    uid = forms.UUIDField(widget=forms.HiddenInput)
    """Of the link that is made, so that a page which is sent twice makes one."""
    label = forms.CharField(
        label=_("Title"), max_length=200, help_text=_("Recipients see it above the pictures.")
    )
    message = forms.CharField(
        label=_("Message"),
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Recipients see it below the title."),
    )
    sizes = forms.ChoiceField(
        label=_("What recipients may do"), choices=ShareLink.Sizes.choices, widget=forms.RadioSelect
    )
    expires_at = EndField()
    password = forms.CharField(
        label=_("Password"),
        required=False,
        min_length=SHORTEST_PASSWORD,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Tell it to recipients in another way than the link. Leave it empty to ask for none."),
    )
    uses_allowed = forms.IntegerField(
        label=_("Visits"),
        required=False,
        min_value=1,
        max_value=1_000_000,
        help_text=_("After so many visits nobody else is let in. Leave it empty for any number."),
    )

    def clean_label(self) -> str:
        return " ".join(self.cleaned_data["label"].replace("\0", "").split())

    def clean_message(self) -> str:
        return plain(self.cleaned_data["message"])


class ExtendForm(forms.Form):
    expires_at = EndField()

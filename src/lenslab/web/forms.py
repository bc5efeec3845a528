"""What readers may send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib.auth.forms import AuthenticationForm, UserCreationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from lenslab.web.models import LONGEST_COMMENT, Comment
from lenslab.web.throttle import SIGN_IN, SIGN_UP

# Django's forms take type arguments only in their stubs.
if TYPE_CHECKING:
    CommentModelForm = forms.ModelForm[Comment]
    UserForm = UserCreationForm[User]
else:
    CommentModelForm, UserForm = forms.ModelForm, UserCreationForm


class CommentForm(CommentModelForm):
    """The text of a comment, as Markdown."""

    class Meta:
        """Text alone: author, work and moderation are never the reader's to set."""

        model = Comment
        fields: ClassVar = ["text"]
        widgets: ClassVar = {
            "text": forms.Textarea(attrs={"rows": 5, "maxlength": LONGEST_COMMENT, "aria-describedby": "comment-hint"})
        }
        labels: ClassVar = {"text": "Your comment"}

    def clean_text(self) -> str:
        """Refuse a comment that shows nothing, and characters that no text holds."""
        text = str(self.cleaned_data["text"]).replace("\x00", "").strip()
        if not text:
            raise ValidationError("Write something before you post.")
        return text


class SignUpForm(UserForm):
    """A name and a password; nothing else is asked or kept."""

    def __init__(self, *arguments: Any, request: HttpRequest | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.request = request

    class Meta:
        """The account that Django keeps."""

        model = User
        fields = ("username",)

    def clean(self) -> dict[str, Any] | None:
        """Refuse more accounts in an hour than people make."""
        address = self.request.META.get("REMOTE_ADDR") if self.request else None
        if SIGN_UP.spent(address):
            raise ValidationError("Too many accounts were made from your address; try again in an hour.")
        SIGN_UP.count(address)
        return super().clean()


class SignInForm(AuthenticationForm):
    """Name and password, with a bound on how often one may guess."""

    def clean(self) -> dict[str, Any]:
        """Check the password, unless too many guesses were wrong; a wrong name is told like a wrong password."""
        asker = (self.request.META.get("REMOTE_ADDR") if self.request else None, self.cleaned_data.get("username"))
        if SIGN_IN.spent(*asker):
            raise ValidationError("Too many tries; wait a quarter of an hour and try again.")
        try:
            cleaned = super().clean()
        except ValidationError:
            SIGN_IN.count(*asker)
            raise
        SIGN_IN.forget(*asker)
        return cleaned

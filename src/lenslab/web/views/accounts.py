"""Signing up, in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import login
from django.contrib.auth.views import LoginView, RedirectURLMixin
from django.http import HttpResponse
from django.views.generic import FormView

from lenslab.web.forms import SignInForm, SignUpForm

# Django's views take type arguments only in their stubs.
if TYPE_CHECKING:
    SignUpView = FormView[SignUpForm]
else:
    SignUpView = FormView


class SignUp(RedirectURLMixin, SignUpView):
    """Makes an account and signs its owner in."""

    form_class = SignUpForm
    template_name = "accounts/sign-up.html"
    next_page = "home"

    def get_form_kwargs(self) -> dict[str, Any]:
        """Let the form see who asks."""
        return {**super().get_form_kwargs(), "request": self.request}

    def form_valid(self, form: SignUpForm) -> HttpResponse:
        """Keep the account and go back to where the reader came from."""
        login(self.request, form.save())
        return super().form_valid(form)

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """Carry the way back through the form."""
        return super().get_context_data(**context, next=self.get_redirect_url())


class SignIn(LoginView):
    """Signs a reader in and goes back to where they came from."""

    form_class = SignInForm
    template_name = "accounts/sign-in.html"

"""Pages for what went wrong: one message that says what to do next."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import loader


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Answer 400."""
    return _page(request, 400, "This request makes no sense", "Go back and try again.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Answer 403."""
    return _page(request, 403, "This is not yours to do", "Sign in with the account that may do it.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Answer 403 to a form that did not come from this site."""
    advice = "The form was too old, was sent from another site, or cookies are off. Reload its page and send it again."
    return _page(request, 403, "The form was not accepted", advice)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404, with the reason where a view gave one."""
    reason = exception.args[0] if exception.args and isinstance(exception.args[0], str) else ""
    return _page(request, 404, "There is no such page", reason or "Check the address, or start from the home page.")


def failed(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Answer 500; without the request, so that nothing is looked up: what failed may be the database."""
    return HttpResponse(loader.render_to_string("500.html"), status=500)


def _page(request: HttpRequest, status: int, title: str, advice: str) -> HttpResponse:
    return render(request, "error.html", {"status": status, "title": title, "advice": advice}, status=status)

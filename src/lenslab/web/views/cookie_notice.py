"""The notice about cookies, and the page that names each of them."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_safe

from lenslab.web.context_processors import DISMISSED

YEAR = 365 * 24 * 3600


@require_safe
def cookies(request: HttpRequest) -> HttpResponse:
    """Name every cookie and what it is for."""
    return render(request, "cookies.html")


@require_safe
def dismiss(request: HttpRequest) -> HttpResponse:
    """Remember that the notice was read, and go back; a link, so that it works without JavaScript."""
    following = request.GET.get("next", "/")
    if not url_has_allowed_host_and_scheme(following, allowed_hosts=None) or not following.startswith("/"):
        following = "/"
    answer = redirect(following)
    secure = settings.SESSION_COOKIE_SECURE
    answer.set_cookie(DISMISSED, "1", max_age=YEAR, httponly=True, samesite="Lax", secure=secure)
    return answer

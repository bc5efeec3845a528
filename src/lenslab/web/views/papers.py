"""The home page, and the page of each work of the library."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from lenslab.library import works
from lenslab.library.errors import UnknownPaperError
from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.errors import ArxivIdError
from lenslab.web import home_page, paper_page
from lenslab.web.addresses import work_address
from lenslab.web.forms import CommentForm


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Say what the site is, and which papers it has."""
    return render(request, "home.html", {"page": home_page.gather()})


@require_safe
def paper(request: HttpRequest, name: str) -> HttpResponse:
    """Show a work, whichever of its names was asked for; every name but the canonical one leads there.

    Other spellings of that name lead there for good. Names that it has by a merge, or had before, do not: merges can be
    undone, and browsers never ask again for what moved for good.
    """
    try:
        work = works.find_work(name)
    except UnknownPaperError as error:
        raise Http404(str(error)) from error
    address = work_address(work.key)
    if request.path != address:
        query = request.META.get("QUERY_STRING", "")
        return redirect(f"{address}?{query}" if query else address, permanent=_spells(name, work.key))
    gathered = paper_page.gather(work, chosen=request.GET.get("result", ""))
    return render(request, "paper.html", {"page": gathered, "form": CommentForm()})


def _spells(name: str, key: str) -> bool:
    """Tell whether a name is the key itself in another way of writing it."""
    try:
        return name.strip() == key or ArxivId.parse(name).base == key
    except ArxivIdError:
        return False

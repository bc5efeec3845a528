"""A record's charts, handed out so that nothing in them can act."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from lenslab.records import Record, RecordsError
from lenslab.web import chart_files, study_panel

# For whoever opens the picture by itself: no script, no frame, no request. As an <img> it is inert anyway.
SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"


@require_safe
def picture(request: HttpRequest, result: str, name: str, theme: str) -> HttpResponse:  # noqa: ARG001 - Django's order
    """Hand out a chart as an image."""
    try:
        content = chart_files.picture(_record(result), name, theme)
    except (RecordsError, OSError) as error:
        raise Http404("There is no such chart in this record.") from error
    headers = {"Content-Security-Policy": SANDBOX, "Cache-Control": "private, max-age=60"}
    return HttpResponse(content, content_type="image/svg+xml", headers=headers)


@require_safe
def specification(request: HttpRequest, result: str, name: str) -> HttpResponse:  # noqa: ARG001 - Django's order
    """Hand out a chart's specification, for the page to make interactive."""
    try:
        document = chart_files.specification(_record(result), name)
    except (RecordsError, OSError) as error:
        raise Http404("There is no such chart in this record.") from error
    return JsonResponse(document, headers={"Cache-Control": "private, max-age=60"})


def _record(result: str) -> Record:
    """Find the study result of that name; names are compared and never made into paths."""
    if (record := study_panel.find_record(result)) is None:
        raise Http404("There is no such study result.")
    return record

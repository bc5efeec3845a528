"""Filters that turn readers' text into safe HTML; they only name what ``lenslab.web.html`` does."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from lenslab.web import html

register = template.Library()


@register.filter
def comment(markdown: str) -> SafeString:
    """Show a comment's Markdown."""
    return html.comment(markdown)

"""Filters of the templates: readers' text as safe HTML (``lenslab.web.safe_html``), and numbers for people."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from lenslab.web import safe_html

register = template.Library()


@register.filter
def comment(markdown: str) -> SafeString:
    """Show a comment's Markdown."""
    return safe_html.comment(markdown)


@register.filter
def grouped(number: int) -> str:
    """Show a number with its thousands set apart.

    Example:
        >>> grouped(300000)
        '300,000'
    """
    return f"{number:,}"

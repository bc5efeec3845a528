"""Untrusted text to HTML: the only place of the site where text becomes markup.

Everything else is escaped by Django's templates. Two kinds of text come through here: titles and abstracts (LaTeX, as
authors typed it) and comments (Markdown, as readers typed it).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import nh3
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from lenslab.papers.text.latex_display import Segment, segments

Resolve = Callable[[str], tuple[str, str] | None]
"""Finds what a citation key means: the words to show and the address of its page, or nothing."""

ALLOWED_TAGS = frozenset(
    {"a", "blockquote", "br", "code", "em", "hr", "li", "ol", "p", "pre", "s", "strong", "ul"}
    | {"table", "tbody", "td", "th", "thead", "tr"}
)
LONGEST_FORMULA = 2_000


def running_text(source: str, resolve: Resolve | None = None) -> SafeString:
    r"""Show a title or an abstract: formulas for KaTeX, citations and addresses as links, everything else as text.

    ``resolve`` finds the work that a ``\cite`` key means; a key that it does not find is shown as ``[citation]`` with
    the key as its title. Nothing of the source becomes markup.

    Example:
        >>> running_text(r"Units of $L_1$ norm <b>matter</b>")
        'Units of <span class="math" data-tex="L_1">L_1</span> norm &lt;b&gt;matter&lt;/b&gt;'
    """
    return format_html_join("", "{}", ((_segment(segment, resolve),) for segment in segments(source)))


def comment(markdown: str) -> SafeString:
    r"""Show a comment: Markdown without raw HTML and without pictures, then cleaned once more.

    The HTML is of a short list of tags; links lead to http, https or mailto only.

    Example:
        >>> comment("*Nice*, <script>alert(1)</script> [here](javascript:alert(1))")
        '<p><em>Nice</em>, &lt;script&gt;alert(1)&lt;/script&gt; [here](javascript:alert(1))</p>\n'
    """
    cleaned = nh3.clean(
        _markdown().render(markdown),
        tags=set(ALLOWED_TAGS),
        attributes={"a": {"href", "title"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer ugc",
    )
    return mark_safe(cleaned)  # nh3 has just removed everything that is not on the list


def _segment(segment: Segment, resolve: Resolve | None) -> SafeString:
    match segment.kind:
        case "emphasis":
            return format_html("<em>{}</em>", segment.text)
        case "strong":
            return format_html("<strong>{}</strong>", segment.text)
        case "formula" if len(segment.text) <= LONGEST_FORMULA:
            return format_html('<span class="math" data-tex="{}">{}</span>', segment.text, segment.text)
        case "link" if segment.target.lower().startswith(("http://", "https://")):
            return format_html('<a href="{}" rel="nofollow noopener">{}</a>', segment.target, segment.text)
        case "citation":
            return _citation(segment.target, resolve)
        case _:
            return format_html("{}", segment.text)


def _citation(key: str, resolve: Resolve | None) -> SafeString:
    found = resolve(key) if resolve else None
    if found is None:
        return format_html('<span class="citation unresolved" title="{}">[citation]</span>', key)
    words, address = found
    return format_html('<a class="citation" href="{}" title="{}">[{}]</a>', address, key, words)


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    # "js-default" takes no raw HTML. A picture would be a request to another host, and a heading would stand among the
    # page's own, so there are neither.
    options = {"html": False, "linkify": False, "maxNesting": 20}
    return MarkdownIt("js-default", options).disable(["image", "heading", "lheading"])

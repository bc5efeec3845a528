"""Untrusted text to HTML: whatever is typed, only the few allowed tags come out."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st

from lenslab.web.safe_html import ALLOWED_TAGS, comment, running_text

MARKUP = ["<script>", "</script>", "<img src=x onerror=alert(1)>", "<svg>", "<!--", "]]>", "<", ">", "&lt;", '"', "'"]
LATEX = ["$", "\\cite{", "\\href{javascript:x}{", "\\emph{", "}", "\u2028", "\x00", "onload=", "data:text/html,x"]
MARKDOWN = ["[a](", "![", "](//e.v)", ")", "javascript:alert(1)", "https://a.b/", "`", "\n", "# ", "|"]
PIECES = st.sampled_from([*MARKUP, *LATEX, *MARKDOWN])
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=20).map("".join)


class Tags(HTMLParser):
    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))


@given(TEXTS)
def test_a_comment_holds_only_allowed_tags_and_safe_links(text: str) -> None:
    for tag, attributes in Tags(comment(text)).found:
        assert tag in ALLOWED_TAGS
        assert set(attributes) <= ({"href", "title", "rel"} if tag == "a" else set())
        if "href" in attributes:
            assert urlsplit(attributes["href"] or "").scheme in ("", "http", "https", "mailto")
            assert "nofollow" in (attributes["rel"] or "")


@given(TEXTS)
def test_a_title_or_abstract_holds_only_the_tags_of_its_segments(text: str) -> None:
    for tag, attributes in Tags(running_text(text, lambda key: (key, "/work/x"))).found:
        assert tag in {"em", "strong", "span", "a"}
        assert set(attributes) <= {"class", "data-tex", "title", "href", "rel"}
        assert (attributes.get("href") or "/").startswith(("/", "http://", "https://"))


def test_markdown_is_shown_as_people_mean_it() -> None:
    shown = comment("**a** *b* `c` ~~d~~\n\n- e\n\n> f\n\n[g](https://h.example)")
    for part in ("<strong>a</strong>", "<em>b</em>", "<code>c</code>", "<s>d</s>", "<li>e</li>", "<blockquote>"):
        assert part in shown
    assert 'href="https://h.example"' in shown


def test_markup_in_a_comment_is_shown_as_it_was_typed() -> None:
    assert comment("<b>x</b>") == "<p>&lt;b&gt;x&lt;/b&gt;</p>\n"


def test_a_heading_in_a_comment_stays_words() -> None:
    assert comment("# Loud") == "<p># Loud</p>\n"


def test_a_formula_is_handed_to_katex_as_text() -> None:
    assert running_text("$a<b$") == '<span class="math" data-tex="a&lt;b">a&lt;b</span>'


def test_a_formula_longer_than_any_is_only_shown() -> None:
    assert "data-tex" not in running_text(f"${'x' * 2001}$")


def test_a_citation_that_nobody_knows_is_grey_and_keeps_its_key() -> None:
    assert running_text(r"\cite{a2018b}") == '<span class="citation unresolved" title="a2018b">[citation]</span>'

"""The page: one HTML document with its data, script and style sheet inside, and a policy that blocks all requests.

Every name in a record is untrusted text. What the head shows is escaped here; everything else is packed as numbers
and text, which the page's script sets as text, never as HTML.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from lenslab.report.run_facts import DROP, Fact
from lenslab.report.script_bundle import Bundle

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="lenslab">
<title>{title}</title>
<style>{style}</style>
<script>{script}</script>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header class="site-head"><div class="wide">
<a class="wordmark" href="#/">lenslab report</a>
<nav class="needs-script" aria-label="Parts of the report">
{parts}
<button type="button" class="plain" id="theme-switch">\
<svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">\
<circle cx="10" cy="10" r="7.2" fill="none" stroke="currentColor" stroke-width="1.6"/>\
<path d="M10 2.8a7.2 7.2 0 0 1 0 14.4z" fill="currentColor"/></svg></button>
</nav>
</div></header>
<main id="content" tabindex="-1">
<div id="overview" class="wide">
<section class="report-head" aria-labelledby="title">
<p class="{kind}">{kicker}</p>
<h1 id="title"><bdi>{network}</bdi> on <bdi>{images}</bdi></h1>
<p class="lead">{drop}</p>
{warnings}<dl class="report-facts">
{facts}
</dl>
</section>
<p class="problem without-script">The tables and charts of this page need JavaScript. The same figures lie in the \
Parquet tables of the record that this page was made from.</p>
<div id="parts"></div>
</div>
<div id="unit" class="wide" hidden></div>
</main>
<footer class="site-foot"><div class="wide">
<p>Made with lenslab from the record <code>{key}</code>. This file holds everything that it shows, and asks no other \
place for anything.</p>
</div></footer>
<script type="application/octet-stream" id="data">{data}</script>
<script type="text/plain" id="thumbnails">{thumbnails}</script>
</body>
</html>
"""


@dataclass(frozen=True)
class Kind:
    """What a page is of.

    Attributes:
        name: The class of its first line, for the style sheet.
        kicker: Its first line.
        parts: The parts of the page, each with its name.
    """

    name: str
    kicker: str
    parts: tuple[tuple[str, str], ...]


RUN = Kind(
    "kicker", "Every unit silenced, one at a time", (("units", "Units"), ("scatter", "Attributes"), ("heat", "Classes"))
)
SCREENING = Kind(
    "kicker screened",
    "Screened: estimates, not counts",
    (("top", "Most costly"), ("intervals", "Sites"), ("units", "Units")),
)


def html_page(
    bundle: Bundle,
    *,
    network: str,
    images: str,
    facts: Sequence[Fact],
    warnings: Sequence[str],
    key: str,
    data: str,
    thumbnails: Sequence[str],
    kind: Kind = RUN,
) -> str:
    """Write the document.

    Example:
        >>> document = html_page(
        ...     Bundle("", ""), network="<b>", images="digits", facts=[], warnings=[], key="", data="", thumbnails=[]
        ... )
        >>> "<bdi>&lt;b&gt;</bdi> on <bdi>digits</bdi></h1>" in document
        True
    """
    return _PAGE.format(
        policy=html.escape(bundle.policy),
        title=html.escape(f"{network} on {images}: what each unit costs"),
        style=bundle.style,
        script=bundle.script,
        kind=kind.name,
        kicker=html.escape(kind.kicker),
        parts="".join(f'<a href="#{part}">{html.escape(name)}</a>' for part, name in kind.parts),
        network=html.escape(network),
        images=html.escape(images),
        drop=html.escape(DROP),
        warnings="".join(f'<p class="problem">{html.escape(warning)}</p>\n' for warning in warnings),
        facts="\n".join(_fact(fact) for fact in facts),
        key=html.escape(key[:12]),
        data=data,
        thumbnails="\n".join(thumbnails),
    )


def _fact(fact: Fact) -> str:
    note = f' <span class="note"><bdi>{html.escape(fact.note)}</bdi></span>' if fact.note else ""
    return f"<div><dt>{html.escape(fact.term)}</dt><dd><bdi>{html.escape(fact.text)}</bdi>{note}</dd></div>"

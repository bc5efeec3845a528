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
from lenslab.runs.site_work import SiteWork

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
{work}</section>
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
    work: Sequence[SiteWork],
    warnings: Sequence[str],
    key: str,
    data: str,
    thumbnails: Sequence[str],
    kind: Kind = RUN,
) -> str:
    """Write the document.

    Example:
        >>> empty = dict(facts=[], work=[], warnings=[], key="", data="", thumbnails=[])
        >>> document = html_page(Bundle("", ""), network="<b>", images="digits", **empty)
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
        work=_work(work),
        key=html.escape(key[:12]),
        data=data,
        thumbnails="\n".join(thumbnails),
    )


def _fact(fact: Fact) -> str:
    note = f' <span class="note"><bdi>{html.escape(fact.note)}</bdi></span>' if fact.note else ""
    return f"<div><dt>{html.escape(fact.term)}</dt><dd><bdi>{html.escape(fact.text)}</bdi>{note}</dd></div>"


_WORK = ("Site", "Path", "Pairs by path", "GMAC", "Expected s", "Took s")


def _work(work: Sequence[SiteWork]) -> str:
    """Write the table of what each site cost, folded away; nothing for a run that has none."""
    if not work:
        return ""
    head = "".join(f'<th scope="col">{name}</th>' for name in _WORK)
    rows = "\n".join(_work_row(each) for each in work)
    return (
        '<details><summary>What each site cost</summary>\n<div class="scroll"><table class="plain">\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div></details>\n"
    )


def _work_row(work: SiteWork) -> str:
    pairs = ", ".join(f"{path} {count:,}" for path, count in work.pairs.items())
    cost = None if work.multiply_accumulates is None else work.multiply_accumulates / 1e9
    figures = ("?" if each is None else f"{each:,.2f}" for each in (cost, work.predicted_seconds, work.seconds))
    words = "".join(f"<td><bdi>{html.escape(each)}</bdi></td>" for each in (work.path or "?", pairs))
    numbers = "".join(f'<td class="number">{each}</td>' for each in figures)
    return f'<tr><th scope="row"><bdi>{html.escape(work.site)}</bdi></th>{words}{numbers}</tr>'

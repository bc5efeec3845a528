"""Papers as CSL-JSON, which citation processors and Zotero read."""

import json
from collections.abc import Sequence
from typing import Any

from lenslab.papers.citation_key import citation_keys
from lenslab.papers.formats.reference_fields import one_line, plain_line
from lenslab.papers.paper import Paper
from lenslab.papers.person import Person


def csl(papers: Sequence[Paper]) -> str:
    """Write papers as a list in CSL-JSON, in their order, each under an id of its own.

    The fields are those of https://docs.citationstyles.org/en/stable/specification.html#appendix-iv-variables; a
    preprint is an ``article`` there, and what a journal published an ``article-journal``. The container of a part of a
    book is the line by which a reference names it, pages included; ``custom`` has its parts.

    Example:
        >>> from lenslab.papers.paper import Paper
        >>> json.loads(csl([Paper(title="On units", authors=("Ada Lovelace",), year=2018)]))[0]["issued"]
        {'date-parts': [[2018]]}
    """
    items = [_item(paper, key) for paper, key in zip(papers, citation_keys(papers), strict=True)]
    return json.dumps(items, ensure_ascii=False, indent=2) + "\n"


def _item(paper: Paper, key: str) -> dict[str, Any]:
    publication = paper.publication
    people = [_author(name) for name in paper.authors if name.strip()]
    texts = {
        "collection-title": publication.series,
        "edition": publication.edition,
        "publisher": publication.publisher,
        "genre": publication.genre,
        "ISBN": publication.isbn,
    }
    item: dict[str, Any] = {
        "id": key,
        "type": paper.cited_kind,
        "title": one_line(plain_line(paper.title, ties=False)),
        "author": [] if publication.edited else people,
        "editor": people if publication.edited else [_author(name) for name in publication.editors if name.strip()],
        "issued": _issued(paper),
        **_place(paper),
        **{name: one_line(text) for name, text in texts.items()},
        "DOI": paper.doi,
        "abstract": one_line(plain_line(paper.abstract, ties=False)),
        "status": "retracted" if paper.retracted else "",
    }
    if paper.arxiv_id:
        named = {"archive_location" if publication.kind == "report" else "number": f"arXiv:{paper.arxiv_id}"}
        item |= named | {"URL": paper.arxiv_id.url, "categories": list(paper.categories)}
        if paper.cited_kind == "article":
            item |= {"publisher": "arXiv", "genre": "preprint"}
    return {name: value for name, value in item.items() if value}


def _place(paper: Paper) -> dict[str, Any]:
    """Give where it appeared; of a part of a book the line of a reference, and beside it what that is made of."""
    publication = paper.publication
    parts = {"volume": publication.volume, "issue": publication.number, "page": publication.pages}
    stated = {name: one_line(part) for name, part in parts.items() if part}
    title = one_line(publication.container or paper.journal_reference)
    if not stated or not publication.container or publication.kind not in ("paper-conference", "chapter"):
        return {"container-title": title} | stated
    return {"container-title": one_line(publication.line), "custom": {"container-title": title} | stated}


def _author(name: str) -> dict[str, str]:
    person = Person.parse(name)
    if not person.given and not person.suffix:
        return {"literal": one_line(person.family)}
    parts = {"family": person.family, "given": person.given, "suffix": person.suffix}
    return {part: one_line(text) for part, text in parts.items() if text}


def _issued(paper: Paper) -> dict[str, Any] | None:
    if paper.cited_year is None:
        return None
    day = paper.cited_day
    return {"date-parts": [[day.year, day.month, day.day] if day else [paper.cited_year]]}

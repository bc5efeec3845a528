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
    preprint is an ``article`` there, and what a journal published an ``article-journal``.

    Example:
        >>> from lenslab.papers.paper import Paper
        >>> json.loads(csl([Paper(title="On units", authors=("Ada Lovelace",), year=2018)]))[0]["issued"]
        {'date-parts': [[2018]]}
    """
    items = [_item(paper, key) for paper, key in zip(papers, citation_keys(papers), strict=True)]
    return json.dumps(items, ensure_ascii=False, indent=2) + "\n"


def _item(paper: Paper, key: str) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": key,
        "type": "article-journal" if paper.journal_reference else "article",
        "title": one_line(plain_line(paper.title, ties=False)),
        "author": [_author(name) for name in paper.authors if name.strip()],
        "issued": _issued(paper),
        "container-title": one_line(paper.journal_reference),
        "DOI": paper.doi,
        "abstract": one_line(plain_line(paper.abstract, ties=False)),
    }
    if paper.arxiv_id:
        item |= {"number": f"arXiv:{paper.arxiv_id}", "URL": paper.arxiv_id.url, "categories": list(paper.categories)}
        if not paper.journal_reference:
            item |= {"publisher": "arXiv", "genre": "preprint"}
    return {name: value for name, value in item.items() if value}


def _author(name: str) -> dict[str, str]:
    person = Person.parse(name)
    if not person.given and not person.suffix:
        return {"literal": one_line(person.family)}
    parts = {"family": person.family, "given": person.given, "suffix": person.suffix}
    return {part: one_line(text) for part, text in parts.items() if text}


def _issued(paper: Paper) -> dict[str, Any] | None:
    if paper.year is None:
        return None
    # The day is that of the first version, which may have come in another year than the work.
    day = paper.submitted if paper.submitted and paper.submitted.year == paper.year else None
    return {"date-parts": [[day.year, day.month, day.day] if day else [paper.year]]}

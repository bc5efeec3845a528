"""Papers as RIS, which reference managers read: a tag a line."""

from collections.abc import Iterator, Sequence

from lenslab.papers.citation_key import citation_keys
from lenslab.papers.formats.reference_fields import one_line, plain_line
from lenslab.papers.paper import Paper
from lenslab.papers.person import Person


def ris(papers: Sequence[Paper]) -> str:
    r"""Write papers as RIS, in their order, each under a key of its own.

    The tags are those of https://en.wikipedia.org/wiki/RIS_(file_format); lines end as there with ``\r\n``.

    Example:
        >>> from lenslab.papers.paper import Paper
        >>> print(ris([Paper(title="On units", authors=("Ada Lovelace",), year=2018)]).replace("\r\n", "|"))
        TY  - UNPB|ID  - lovelace2018units|TI  - On units|AU  - Lovelace, Ada|PY  - 2018|ER  - |
    """
    lines = (
        f"{tag}  - {one_line(value)}\r\n"
        for paper, key in zip(papers, citation_keys(papers), strict=True)
        for tag, value in _fields(paper, key)
        if value or tag == "ER"
    )
    return "".join(lines)


def _fields(paper: Paper, key: str) -> Iterator[tuple[str, str]]:
    publication = paper.publication
    journal = publication.container or paper.journal_reference
    yield "TY", "EDBOOK" if publication.edited else _TYPES[paper.cited_kind]
    yield "ID", key
    yield "TI", plain_line(paper.title, ties=False)
    for name in paper.authors:
        yield "AU", Person.parse(name).family_first
    for name in publication.editors:
        yield "A2", Person.parse(name).family_first
    yield "PY", str(paper.cited_year or "")
    yield "DA", paper.cited_day.strftime("%Y/%m/%d") if paper.cited_day else ""
    yield "T2" if publication.kind in ("paper-conference", "chapter") else "JO", journal
    yield "T3", publication.series
    yield "VL", publication.volume
    yield "IS", publication.number
    first, last = publication.page_range
    yield "SP", first
    yield "EP", last
    yield "ET", publication.edition
    yield "PB", publication.publisher
    yield "SN", publication.isbn
    yield "M3", publication.genre
    yield "DO", paper.doi
    yield "AN", f"arXiv:{paper.arxiv_id}" if paper.arxiv_id else ""
    yield "UR", paper.arxiv_id.url if paper.arxiv_id else ""
    yield "AB", plain_line(paper.abstract, ties=False)
    for category in paper.categories if paper.arxiv_id else ():
        yield "KW", category
    yield "N1", "Retracted" if paper.retracted else ""
    yield "ER", ""


_TYPES = {
    "article": "UNPB",
    "article-journal": "JOUR",
    "paper-conference": "CPAPER",
    "chapter": "CHAP",
    "book": "BOOK",
    "thesis": "THES",
    "report": "RPRT",
}

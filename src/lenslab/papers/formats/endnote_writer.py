"""Papers in EndNote's tagged format, which its import filter *EndNote Import* reads."""

from collections.abc import Iterator, Sequence

from lenslab.papers.citation_key import citation_keys
from lenslab.papers.formats.reference_fields import one_line, plain_line
from lenslab.papers.paper import Paper
from lenslab.papers.person import Person


def endnote(papers: Sequence[Paper]) -> str:
    r"""Write papers as EndNote reads them: a tag a line, an empty line between two works.

    Example:
        >>> from lenslab.papers.paper import Paper
        >>> print(endnote([Paper(title="On units", authors=("Ada Lovelace",), year=2018)]), end="")
        %0 Electronic Article
        %F lovelace2018units
        %T On units
        %A Lovelace, Ada
        %D 2018
    """
    works = (
        "".join(f"%{tag} {one_line(value)}\n" for tag, value in _fields(paper, key) if value)
        for paper, key in zip(papers, citation_keys(papers), strict=True)
    )
    return "\n".join(works)


def _fields(paper: Paper, key: str) -> Iterator[tuple[str, str]]:
    publication = paper.publication
    container = publication.container or paper.journal_reference
    yield "0", "Edited Book" if publication.edited else _TYPES[paper.cited_kind]
    yield "F", key
    yield "T", plain_line(paper.title, ties=False)
    for name in paper.authors:
        yield "A", _person(name)
    for name in publication.editors:
        yield "E", _person(name)
    yield "D", str(paper.cited_year or "")
    yield "8", paper.cited_day.isoformat() if paper.cited_day else ""
    yield "B" if publication.kind in ("paper-conference", "chapter") else "J", container
    yield "S", publication.series
    yield "V", publication.volume
    yield "N", publication.number
    yield "P", "-".join(filter(None, publication.page_range))
    yield "7", publication.edition
    yield "I", publication.publisher
    yield "9", publication.genre
    yield "@", publication.isbn
    yield "R", paper.doi
    yield "M", f"arXiv:{paper.arxiv_id}" if paper.arxiv_id else ""
    yield "U", paper.arxiv_id.url if paper.arxiv_id else ""
    yield "X", plain_line(paper.abstract, ties=False)
    for category in paper.categories if paper.arxiv_id else ():
        yield "K", category
    yield "Z", "Retracted" if paper.retracted else ""


def _person(name: str) -> str:
    person = Person.parse(name)
    # A comma at the end keeps a group's name whole.
    written = person.family_first
    return written if person.given or " " not in person.family or written.endswith(",") else f"{written},"


_TYPES = {
    "article": "Electronic Article",
    "article-journal": "Journal Article",
    "paper-conference": "Conference Paper",
    "chapter": "Book Section",
    "book": "Book",
    "thesis": "Thesis",
    "report": "Report",
}

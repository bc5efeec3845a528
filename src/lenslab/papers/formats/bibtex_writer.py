"""Papers as BibTeX: one as an entry, several as a bibliography."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from lenslab.papers.categories import category
from lenslab.papers.citation_key import citation_key, citation_keys
from lenslab.papers.paper import Paper
from lenslab.papers.person import Person
from lenslab.papers.publication import Publication
from lenslab.papers.text.latex_display import plain_text, segments
from lenslab.papers.text.tex_symbols import ACCENTS, LETTERS

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\u00a0": "~",
    "–": "--",
    "—": "---",
    "‘": r"{\textquoteleft}",
    "’": r"{\textquoteright}",
    "“": r"{\textquotedblleft}",
    "”": r"{\textquotedblright}",
    "…": r"\ldots{}",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TYPES = {
    "article": "misc",
    "article-journal": "article",
    "paper-conference": "inproceedings",
    "chapter": "incollection",
    "book": "book",
    "report": "techreport",
}
_ACCENT_OF = {combining: command for command, combining in ACCENTS.items()}
_COMMAND_OF = {letter: command for command, letter in LETTERS.items()}


def bibtex(paper: Paper) -> str:
    r"""Write a paper as a BibTeX entry that LaTeX of any age reads.

    It is of the type that its publication has: a preprint is an ``@misc`` entry, as arXiv recommends it.

    Example:
        >>> from lenslab.papers.arxiv_id import ArxivId
        >>> from lenslab.papers.paper import Paper
        >>> paper = Paper(title="Units & classes", authors=("Ada Lovelace",), year=2018,
        ...     arxiv_id=ArxivId("1806.02891"), categories=("cs.CV",))
        >>> print(bibtex(paper), end="")
        @misc{lovelace2018units,
          title         = {Units \& classes},
          author        = {Lovelace, Ada},
          year          = {2018},
          eprint        = {1806.02891},
          archivePrefix = {arXiv},
          primaryClass  = {cs.CV},
          url           = {https://arxiv.org/abs/1806.02891}
        }
    """
    return _entry(paper, citation_key(paper))


def bibliography(papers: Sequence[Paper]) -> str:
    """Write papers as a BibTeX file, in their order, each under a key of its own.

    Example:
        >>> from lenslab.papers.paper import Paper
        >>> smith = Paper(title="On units", authors=("Ann Smith",), year=2018)
        >>> [line for line in bibliography([smith, smith]).splitlines() if line.startswith("@")]
        ['@misc{smith2018units,', '@misc{smith2018unitsa,']
    """
    return "\n".join(map(_entry, papers, citation_keys(papers)))


def _entry(paper: Paper, key: str) -> str:
    fields = {name: value for name, value in _fields(paper).items() if value}
    width = max(map(len, fields), default=0)
    lines = [
        # A month is one of BibTeX's own strings, which stand without braces.
        f"  {name:<{width}} = {value if name == 'month' else '{' + value + '}'}"
        for name, value in fields.items()
    ]
    return f"@{_type(paper)}{{{key},\n" + ",\n".join(lines) + "\n}\n"


def _type(paper: Paper) -> str:
    publication = paper.publication
    if publication.kind == "thesis":
        return "mastersthesis" if "master" in publication.genre.lower() else "phdthesis"
    return _TYPES[paper.cited_kind]


def _fields(paper: Paper) -> dict[str, str]:
    identifier, publication = paper.arxiv_id, paper.publication
    people = _people(paper.authors)
    return {
        "title": _title(paper.title),
        "author": "" if publication.edited else people,
        "editor": people if publication.edited else _people(publication.editors),
        "year": str(paper.cited_year or ""),
        "month": _MONTHS[paper.submitted.month - 1] if paper.submitted and not publication.year else "",
        **_publication_fields(publication, paper.journal_reference),
        "doi": paper.doi if re.fullmatch(r"[^\s{}\\%]+", paper.doi) else "",
        "eprint": str(identifier) if identifier else "",
        "archivePrefix": "arXiv" if identifier else "",
        "primaryClass": category(paper.primary_category).id if identifier and paper.primary_category else "",
        "url": identifier.url if identifier else "",
        "note": "Retracted" if paper.retracted else "",
    }


def _publication_fields(publication: Publication, reference: str) -> dict[str, str]:
    """Give the fields of where it was published; where the parts are not known, the reference is the journal."""
    kind = publication.kind
    container = "booktitle" if kind in ("paper-conference", "chapter") else "journal"
    first, last = publication.page_range
    parts = {
        container: publication.container or reference,
        {"thesis": "school", "report": "institution"}.get(kind, "publisher"): publication.publisher,
        "series": publication.series,
        "edition": publication.edition,
        "volume": publication.volume,
        "number": publication.number,
        "type": publication.genre if publication.genre != "Master's thesis" else "",
        "isbn": publication.isbn,
    }
    pages = f"{_escaped(first)}--{_escaped(last)}" if last else _escaped(first)
    return {name: _escaped(text) for name, text in parts.items()} | {"pages": pages}


def _people(names: Sequence[str]) -> str:
    return " and ".join(_author(name) for name in names if name.strip())


def _title(title: str) -> str:
    """Write the title with its formulas; words with capitals inside are braced, since styles lower the case."""
    parts = []
    for segment in segments(title):
        if segment.kind == "formula":
            formula = f"${segment.text}$"
            shown = plain_text(formula)
            # A brace too many would end the field; such a formula is written as it is shown, as is one that is empty.
            parts.append(formula if shown and _is_balanced(segment.text) else _escaped(shown))
        elif segment.kind != "citation":
            words = re.split(r"(\s+)", segment.text)
            parts.append("".join(_protected(word) for word in words))
    return "".join(parts) or _escaped(title)


def _protected(word: str) -> str:
    escaped = _escaped(word)
    return f"{{{escaped}}}" if any(character.isupper() for character in word[1:]) else escaped


def _author(name: str) -> str:
    """Write a name as ``Family, Given``; a group's name, which BibTeX would take apart, is braced."""
    person = Person.parse(name)
    if not person.given and not person.suffix:
        return f"{{{_escaped(person.family)}}}"
    if not person.given:
        return f"{{{_escaped(person.family)}}}, {_escaped(person.suffix)}, {{}}"
    # A comma inside of a part would end it.
    escaped = (_escaped(part) for part in (person.family, person.suffix, person.given) if part)
    parts = (f"{{{part}}}" if "," in part else part for part in escaped)
    # The word that stands between two names can be part of one: Smith and Sons.
    return re.sub(r"(?<!\S)(and)(?!\S)", r"{\1}", ", ".join(parts), flags=re.IGNORECASE)


def _is_balanced(formula: str) -> bool:
    depth = 0
    for sign in re.findall(r"\\.|[{}]", formula):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if depth < 0:
            return False
    return depth == 0


def _escaped(text: str) -> str:
    pieces: list[str] = []
    for character in re.sub(r"\s+", " ", text.strip("\n")):
        piece = _escaped_character(character)
        if pieces and piece[:1] in ("-", "'", "`") and pieces[-1].endswith(piece[:1]):
            # Dashes that meet would be one longer dash, and quotes another quote.
            pieces.append("{}")
        pieces.append(piece)
    return "".join(pieces)


@lru_cache(maxsize=4096)
def _escaped_character(character: str) -> str:
    """Write a character in ASCII where that is read as this character again; else as it is."""
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isascii():
        return character
    if character in _COMMAND_OF:
        return f"{{\\{_COMMAND_OF[character]}}}"
    letter, accents = (decomposed := unicodedata.normalize("NFD", character))[0], decomposed[1:]
    if accents and letter.isascii() and all(accent in _ACCENT_OF for accent in accents):
        # What stands above takes the place of the dot.
        written = f"\\{letter}" if letter in "ij" and _ACCENT_OF[accents[0]] not in "cdkb" else letter
        for accent in accents:
            written = f"\\{_ACCENT_OF[accent]}{{{written}}}"
        return f"{{{written}}}"
    from pylatexenc.latexencode import UnicodeToLatexEncoder

    encoder = UnicodeToLatexEncoder(
        replacement_latex_protection="braces-all", unknown_char_policy="keep", unknown_char_warning=False
    )
    written = encoder.unicode_to_latex(character)
    return written if written.isascii() and plain_text(f"a{written}b") == f"a{character}b" else character

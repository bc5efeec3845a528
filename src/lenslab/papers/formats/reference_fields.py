"""A reference as bibliography files hold it: its fields become a description."""

import hashlib
import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.description import Description
from lenslab.papers.doi import ARXIV_PREFIX, Doi, first_doi
from lenslab.papers.errors import ArxivIdError, MalformedError
from lenslab.papers.formats.rejection import Rejection
from lenslab.papers.paper import Paper
from lenslab.papers.publication import UNSTATED, Publication
from lenslab.papers.text.latex_display import plain_text, segments

# Only an arXiv identifier that says what it is: bare digits in running text are anything.
_NAMED = re.compile(
    r"(?:arxiv\.org/(?:abs|pdf|html)/|arxiv[:\s]\s*(?:e?-?prints?[:\s]\s*|preprints?[:\s]\s*)?|10\.48550/arxiv\.|\bcorr,?\s+abs/|^abs/)"
    r"(?P<id>\d{4}\.\d{4,5}|[a-z-]{2,12}(?:\.[a-z]{2})?/\d{7})(?P<version>v\d{1,3})?(?![\d/])",
    re.IGNORECASE,
)
# What stands in place of a journal.
_NO_JOURNAL = re.compile(r"(?:arxiv|corr)\b.*|.*\barxiv preprint\b.*|abs/.*", re.IGNORECASE | re.DOTALL)
# What would begin another line, or is half of a character.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Titles and abstracts from publishers are marked up: in HTML, in CSL's own tags, in JATS.
_TAG = re.compile(
    r"</?(?P<name>i|b|u|s|em|strong|italic|bold|underline|sub|sup|inf|sc|scp|small|span|tt|code|p|br|title|break|named-content|"
    r"[a-z]+:[a-z-]+)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_NOTE_WORDS = re.compile(
    r"\b(?:arxiv|e?-?prints?|preprints?|available|online|at|also|as|version|v?\d+)\b", re.IGNORECASE
)
_TILDE = r"\textasciitilde{}"
_FORMULA = re.compile(r"\$[^$]*\$|\\.|~", re.DOTALL)
# How publishers mark an article that stands no more; a notice about it is another publication.
_RETRACTED = re.compile(
    r"\W*retracted(?:\s+(?:article|paper|chapter))?\s*[:\])]"
    r"|.*[\[(]\s*retracted(?:\s+(?:article|paper|chapter))?\s*(?:[.;:,][^\[\]()]*)?[\])]\W*$",
    re.IGNORECASE | re.DOTALL,
)
_RETRACTED_NOTE = re.compile(
    r"\W*retracted\s*(?:$|[.:;,(]|in\b|on\b|by\b|\d)|.*\b(?:has been|was|is) retracted\b|\W*retraction in:",
    re.IGNORECASE | re.DOTALL,
)
_YEAR = re.compile(r"(?<!\d)(?:1[4-9]|2[01])\d\d(?!\d)")
_LONGEST_TEX = 20_000
_LONGEST_KEY = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The fields of one entry, as its file holds them.

    Attributes:
        key: Its name in the file; empty where it has none.
        title: The title; may hold LaTeX.
        authors: The names in their spoken order.
        editors: Who edited the book; a book that names nobody else is known by them.
        year: Where the year may stand, the most reliable first.
        doi: Where a DOI may stand.
        eprint: What may be an arXiv identifier, the most reliable first; old ones may stand without their archive,
            which the primary category names then.
        mentions: Where an arXiv identifier may be named in other words.
        notes: What may be nothing but such an identifier; in running text one is that of another paper.
        publication: As what and where it was published, in plain text.
        retracted: Whether the file says that it was retracted.
        abstract: The abstract; may hold LaTeX.
        categories: ArXiv's category ids, the primary one first.
        assumptions: What was assumed so far, a sentence each.
    """

    key: str = ""
    title: str = ""
    authors: tuple[str, ...] = ()
    editors: tuple[str, ...] = ()
    year: tuple[str, ...] = ()
    doi: tuple[str, ...] = ()
    eprint: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    publication: Publication = UNSTATED
    retracted: bool = False
    abstract: str = ""
    categories: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()

    def description(self, source: str, raw: bytes) -> Description:
        """Describe the work that the entry names.

        Raises:
            MalformedError: The entry has no title, or it cannot be kept; the message says why in a few words.
        """
        if b"\0" in raw:
            raise MalformedError("holds the character zero")
        title = plain_line(self.title)
        if not title:
            raise MalformedError("no title")
        archives = [f"{name.partition('.')[0]}/{number}" for name in self.categories[:1] for number in self.eprint]
        mentions = (*self.doi, *self.mentions, *filter(_only_names, self.notes), self.publication.container)
        identifier = _arxiv_id((*self.eprint, *archives), mentions)
        dois = (found for text in self.doi if (found := first_doi(text)))
        # arXiv's own DOI names the preprint and not an article.
        doi = next((found for found in dois if not Doi.parse(found).name.startswith(ARXIV_PREFIX)), "")
        # A file may leave its entries without names; then the entry itself is one, since no other is the same.
        digest = f"sha256:{hashlib.sha256(raw.strip()).hexdigest()[:16]}"
        key = self.key.strip() or (Doi.parse(doi).name if doi else str(identifier or digest))
        if len(key) > _LONGEST_KEY:
            raise MalformedError(f"its key has {len(key):,} characters")
        published = self.publication.tidy
        if _NO_JOURNAL.fullmatch(published.container):
            published = replace(published, kind="", container="", volume="", number="", pages="")
        if published.publisher.lower() == "arxiv":
            published = replace(published, publisher="")
        if published.kind not in ("thesis", "report"):
            published = replace(published, genre="")
        edited = published.edited or (published.kind == "book" and bool(self.editors) and not self.authors)
        year = next((int(match[0]) for text in self.year if (match := _YEAR.search(text))), None)
        return Description(
            source=source,
            locator=key,
            raw=raw,
            paper=Paper(
                title=title,
                authors=self.authors or (self.editors if edited else ()),
                year=year,
                arxiv_id=identifier,
                abstract=plain_line(self.abstract),
                categories=self.categories,
                doi=doi,
                journal_reference=published.line,
                publication=replace(
                    published,
                    editors=() if edited else self.editors,
                    edited=edited,
                    year=year if published.container or published.publisher else None,
                ),
                retracted=self.retracted or bool(_RETRACTED.match(title)),
            ),
            assumptions=self.assumptions if year is not None else (*self.assumptions, _without_year(self.year)),
        )


def says_retracted(note: str) -> bool:
    """Tell whether a note says that the work was retracted.

    Example:
        >>> says_retracted("Retracted in 2012"), says_retracted("Why papers are retracted")
        (True, False)
    """
    return bool(_RETRACTED_NOTE.match(note))


def _only_names(note: str) -> bool:
    """Tell whether a note names an arXiv identifier and says nothing else.

    Example:
        >>> _only_names("arXiv preprint arXiv:1806.02891v1 [cs.CV]"), _only_names("Comment on arXiv:1806.02891")
        (True, False)
    """
    rest = re.sub(r"\[[\w.-]+\]|https?://\S+", " ", _NAMED.sub(" ", note))
    return not _NOTE_WORDS.sub(" ", rest).strip(" \t\n.,;:()[]{}")


def _without_year(dates: tuple[str, ...]) -> str:
    stated = next((" ".join(date.split()) for date in dates if date.strip()), "")
    return f"no year is read from the date {stated[:40]!r}" if stated else "no year is stated"


def _without_tags(text: str) -> str:
    """Take tags off that are opened and closed; what is only opened is a sign, as in *if a <b*."""
    found = [(match, match[0][1] == "/" or match[0][-2] == "/", match["name"].lower()) for match in _TAG.finditer(text)]
    closed = {name for _, end, name in found if end}
    opened = {name for match, end, name in found if not end} | {"br", "p"}
    return _TAG.sub(lambda match: "" if match["name"].lower() in closed & opened else match[0], text)


def _formula(tex: str) -> str:
    """Write a formula in dollar signs; one that shows nothing would be two of them, which mean something else."""
    return f"${tex}$" if plain_text(f"${tex}$") else ""


def whole_title(title: str, subtitle: str = "", addition: str = "", *, volume: str = "", part: str = "") -> str:
    """Join a title with what stands apart from it in a file: the subtitle, and which volume of a book it is.

    Example:
        >>> whole_title("Networks", "An Introduction"), whole_title("Why units?", "A study")
        ('Networks: An Introduction', 'Why units? A study')
        >>> whole_title("The Art of Counting", volume="2")
        'The Art of Counting, volume 2'
    """
    whole = " ".join(title.split())
    for added, between in ((subtitle, ":"), (addition, ".")):
        if whole and added.strip():
            whole = f"{whole.rstrip()}{'' if whole.rstrip('}')[-1:] in '?!.:;…' else between} {added.strip()}"
    for name, number in (("volume", volume), ("part", part)):
        number = re.sub(r"(?i)^\s*(?:volume|vol|part|pt)\b\.?\s*", "", number).strip()
        said = rf"\b(?:{name}|{name[:3]}\.?)\s*{re.escape(plain_line(number))}(?!\w)"
        if whole and number and not re.search(said, plain_line(whole), re.IGNORECASE):
            whole += f", {name} {number}"
    return whole


def unmarked(text: str) -> str:
    """Take publishers' HTML and JATS off a text: tags away, entities decoded; a tilde there is a tilde, and no space.

    Example:
        >>> unmarked("Barrels &amp; kegs of <em>Sample coli</em> at CO<inf>2</inf> &lt; 5%")
        'Barrels & kegs of Sample coli at CO2 < 5%'
    """
    return _with_tildes(untagged(text))


def _with_tildes(text: str) -> str:
    """Write tildes of a text that is not TeX as TeX does; inside of formulas they are TeX."""
    return _FORMULA.sub(lambda match: match[0] if match[0] != "~" else _TILDE, text)


def untagged(text: str) -> str:
    """Take tags off a text and decode entities, and leave whatever else it holds.

    Example:
        >>> untagged("Barrels &amp; <em>kegs</em> ~ 5")
        'Barrels & kegs ~ 5'
    """
    return _without_tags(html.unescape(_without_tags(text)))


def plain_line(tex: str, *, ties: bool = True) -> str:
    r"""Write a title or abstract in one line: letters for TeX's accents, formulas in dollar signs, no other markup.

    Where a line without markup would show something else, for instance since it holds a dollar sign that is money, the
    text stays as it was typed.

    Args:
        tex: The text, with LaTeX.
        ties: Whether a tilde in the line is a tie, as in TeX; in files of other formats it is a tilde.

    Example:
        >>> plain_line(r"{CNN}s after G{\"o}del: \emph{units} of $L_1$ norm")
        'CNNs after Gödel: units of $L_1$ norm'
    """
    typed = " ".join(tex.split())
    if len(typed) > _LONGEST_TEX:
        return typed
    parts = [
        "" if segment.kind == "citation" else segment.text if segment.kind != "formula" else _formula(segment.text)
        for segment in segments(typed)
    ]
    line = " ".join("".join(parts).split())
    # A tie that is meant as one stands there as the space that it is.
    tied = _FORMULA.sub(lambda match: match[0] if match[0] != "~" else "\u00a0", typed)
    shown = plain_text(typed)
    if ties:
        return line if plain_text(line) == shown else typed
    candidates = (line, tied, shown, shown.replace("\\", r"\textbackslash{}"))
    return next((text for text in candidates if plain_text(_with_tildes(text)) == shown), typed)


def one_line(text: str) -> str:
    r"""Take out line breaks and control characters, which in a file of lines would begin something else.

    Example:
        >>> one_line("On\nunits\x00")
        'On units'
    """
    return " ".join(_CONTROL.sub(" ", text).split())


def without_duplicates(entries: Iterable[Description | Rejection]) -> Iterator[Description | Rejection]:
    """Reject the entries of a file whose name an earlier one has."""
    first: dict[str, int] = {}
    for number, entry in enumerate(entries, 1):
        if isinstance(entry, Rejection):
            yield entry
        elif (earlier := first.setdefault(entry.locator, number)) != number:
            name = entry.locator
            yield Rejection(number, f"the name {name[:80]!r} is that of entry {earlier}, too", name)
        else:
            yield entry


def _arxiv_id(eprints: Iterable[str], mentions: Iterable[str]) -> ArxivId | None:
    for eprint in eprints:
        try:
            return ArxivId.parse(eprint)
        except ArxivIdError:
            continue
    for text in mentions:
        for match in _NAMED.finditer(text):
            try:
                return ArxivId.parse(match["id"] + (match["version"] or ""))
            except ArxivIdError:
                continue
    return None

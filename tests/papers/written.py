"""Papers to write in one format or another, and what has to be the same when they are read again."""

import datetime as dt
import html
import re
import unicodedata
from dataclasses import replace

from hypothesis import strategies as st

from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.doi import Doi
from lenslab.papers.paper import Paper
from lenslab.papers.person import Person
from lenslab.papers.publication import KINDS, Publication, pages
from lenslab.papers.text.latex_display import plain_text

ALPHABET = list("abcXYZ012 éüßŁğ北 -–’“”.,:;!?()[]/+*@#%&_^~\\{}$'\"=|")
titles = (
    st.text(alphabet=st.sampled_from(ALPHABET), min_size=1, max_size=24)
    .map(str.strip)
    .filter(lambda title: any(character.isalnum() for character in plain_text(title)) and html.unescape(title) == title)
)
tex_titles = st.lists(
    st.sampled_from(
        ["On", "$L_1$", r"{\'e}t{\'e}", r"\emph{units}", "CNNs", "{HRank}", r"\cite{a}", "\n ", "50\\%", "--", "é"]
    ),
    min_size=1,
    max_size=6,
).map(lambda words: "x " + " ".join(words))
words = st.text(alphabet="abcdeéüßŁğ-", min_size=1, max_size=6).map(
    lambda word: "A" + re.sub("-+", "-", word).strip("-")
)
people = st.lists(words, min_size=1, max_size=4).map(" ".join)
particled = st.builds("{} {} {}".format, words, st.sampled_from(["van", "de la", "von"]), words)
followed = st.builds("{} {} {}".format, words, words, st.sampled_from(["Jr.", "III"]))
groups = st.sampled_from(
    ["ATLAS", "The ATLAS Collaboration", "Smith and Sons", "Google Brain Team", "Ben & Jerry", "A_B 50%"]
)
stated = st.builds(
    lambda family, given, suffix: str(Person.of(family=family, given=given, suffix=suffix)),
    people,
    people,
    st.sampled_from(["", "Jr.", "III"]),
) | people.map(lambda name: str(Person(name)))
identifiers = st.one_of(
    st.none(),
    st.builds(ArxivId, st.sampled_from(["1806.02891", "0704.0001", "hep-th/9901001"]), st.none() | st.integers(1, 20)),
)
dois = st.just("") | st.text(alphabet="abcXYZ019.-_()/;:", min_size=1, max_size=10).map("10.1000/x".__add__).map(
    lambda written: Doi.parse(written).spelling
)
parts = st.just("") | st.text(alphabet="abcXYZ012 éŁ&%#_~-/()", min_size=1, max_size=9).filter(
    lambda part: any(character.isalnum() for character in part) and html.unescape(part) == part
)
numbers = st.sampled_from(["", "7", "12A", "S-3", "II"])
publications = st.builds(
    Publication,
    kind=st.sampled_from(KINDS),
    container=parts,
    volume=numbers,
    number=numbers,
    pages=st.builds(pages, numbers, numbers) | st.sampled_from(["e17", "3-9", "1, 5-7"]),
    isbn=st.sampled_from(["", "0-306-40615-2"]),
    publisher=parts,
    edition=numbers,
    series=parts,
    editors=st.lists(people | stated, max_size=2).map(tuple),
).map(lambda publication: publication.tidy)
references = st.sampled_from(["", "TPAMI 40 (2018) & more", "Phys.Rev.D76:013009,2007", "100% Units_a"])


def published(paper, publication):
    """The paper with a publication, as a bibliography states it."""
    reference = " ".join(publication.line.split())
    authors, editors = paper.authors, publication.editors
    if publication.kind == "book" and not authors:
        authors, editors = editors, ()
    edited = bool(authors) and not editors and publication.kind == "book"
    # A volume tells books of one title apart.
    volume = publication.volume if publication.kind == "book" and not publication.series else ""
    title = f"The Art of Counting, volume {volume}" if volume else paper.title
    year = paper.year if publication.container or publication.publisher else None
    publication = replace(publication, editors=editors, edited=edited, year=year)
    return replace(paper, title=title, authors=authors, journal_reference=reference, publication=publication)


preprints = st.builds(
    Paper,
    title=titles | tex_titles,
    authors=st.lists(people | particled | followed | groups | stated, max_size=4).map(tuple),
    year=st.none() | st.integers(1400, 2199),
    arxiv_id=identifiers,
    doi=dois,
    abstract=st.just("") | titles,
    journal_reference=references,
    categories=st.sampled_from([(), ("cs.CV", "cs.LG"), ("hep-th",), ("astro-ph", "cmp-lg")]),
    submitted=st.none() | st.dates(dt.date(1991, 7, 1), dt.date(2030, 1, 1)),
    retracted=st.booleans(),
)
papers = preprints | st.builds(published, preprints, publications)


def shown(text):
    """What a reader sees."""
    return " ".join(unicodedata.normalize("NFC", plain_text(" ".join(text.split()))).split())


def assert_same(read, written):
    """The title as it is shown, the names, the year, the DOI and the arXiv identifier are the same."""
    assert shown(read.title) == shown(written.title)
    assert read.authors == written.authors
    assert read.year == written.year
    assert read.doi == written.doi
    assert read.arxiv_id == written.arxiv_id

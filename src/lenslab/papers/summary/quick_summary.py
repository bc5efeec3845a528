"""A quick summary, by one of three methods, each sentence with the place in the abstract that supports it.

``extractive`` needs no network: the two sentences of the abstract that say most of it, word for word. Each sentence is
scored by how much of the whole abstract it says (cosine between their TF-IDF vectors), with a bonus for the first
sentence and for a cue that announces a result (cue and location: Edmundson, "New methods in automatic extracting",
JACM 16, 1969). The best sentence is taken, then the one that is best after what it repeats of the first is taken off
(maximal marginal relevance: Carbonell and Goldstein, SIGIR 1998). They are shown in the abstract's order.

``endpoint`` asks a language model, if one is configured, and drops every sentence that the abstract does not support.
``tldr`` is the sentence that Semantic Scholar made; it is left out where the abstract does not support it.
"""

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lenslab.http.errors import HttpError
from lenslab.papers.errors import MalformedError, PapersError
from lenslab.papers.paper import Paper
from lenslab.papers.summary.abstract_support import Span, spans, support
from lenslab.papers.summary.llm_endpoint import Endpoint
from lenslab.papers.summary.summary_prompt import json_object, messages
from lenslab.papers.terms.document_frequencies import shipped_frequencies
from lenslab.papers.text.latex_display import plain_text, prose
from lenslab.papers.text.words import runs

FloatArray = NDArray[np.float64]

_CUE = re.compile(
    r"\b(?:we|results?|experiments?|findings?|analysis|it|here|work|paper)\b[^.,;]{0,40}\b"
    r"(?:show|shows|demonstrate|demonstrates|find|finds|found|prove|proves|propose|proposes|present|presents|introduce|"
    r"introduces|reveal|reveals|conclude|suggest|suggests|establish|achieve|achieves|obtain|derive)\b",
    re.IGNORECASE,
)
_CUE_BONUS = 0.15
_FIRST_BONUS = 0.1
_REPETITION = 0.9
_SENTENCES = 2
_MOST_CLAIMS = 6
_LONGEST_CLAIM = 600
_TASK = (
    "Summarise the paper for a reader in its field in exactly two sentences: what was done, and what was found. Say "
    "only what the abstract says, in its own terms, with its numbers. Answer with one JSON object and nothing else: "
    '{"sentences": ["...", "..."]}'
)

Method = Literal["endpoint", "tldr", "extractive"]


@dataclass(frozen=True, slots=True)
class Summary:
    """A quick summary of a paper.

    Attributes:
        text: The sentences, joined by spaces; empty where there is no abstract.
        sentences: The sentences, without LaTeX and citations; extractive ones in the abstract's order.
        positions: The sentences of the abstract that support them, counted from 0.
        method: How it was made; ``extractive`` says that every sentence is the authors' own.
        spans: What supports each sentence, in the plain text of the abstract.
        model: The model that wrote it; empty for extractive ones.
        host: Where the model ran.
        made: When it was made, for what a model wrote.
        version: The version of the paper whose abstract it is of, where known.
        note: Why it was not made in the way that was asked for; empty where it was.
    """

    text: str
    sentences: tuple[str, ...]
    positions: tuple[int, ...]
    method: Method = "extractive"
    spans: tuple[Span, ...] = ()
    model: str = ""
    host: str = ""
    made: dt.datetime | None = None
    version: int | None = None
    note: str = ""


def paper_summary(
    paper: Paper,
    *,
    tldr: str = "",
    endpoint: Endpoint | None = None,
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
) -> Summary:
    """Make the best summary at hand: the language model's, else Semantic Scholar's, else the extractive one.

    Args:
        paper: The paper; without an abstract its summary is empty.
        tldr: Semantic Scholar's one-sentence summary; empty where there is none.
        endpoint: The language model; ``None`` for none.
        now: Tells the time.

    Example:
        >>> from lenslab.papers.paper import Paper
        >>> paper = Paper(title="On units", abstract="We ablate units. Each hurts one class. It rains.")
        >>> paper_summary(paper, tldr="Ablating units hurts one class.").method
        'tldr'
    """
    version = paper.versions[-1].number if paper.versions else None
    whole = spans(paper.abstract)
    note = ""
    if endpoint is not None and whole:
        try:
            claims = _written_by_model(paper, endpoint)
            found = [(claim, span) for claim in claims if (span := support(claim, whole)) is not None][:_SENTENCES]
            if found:
                return replace(
                    _summary(found, whole, "endpoint"),
                    model=endpoint.model,
                    host=endpoint.host,
                    made=now(),
                    version=version,
                    note=_dropped(len(claims[:_SENTENCES]) - len(found)),
                )
            note = f"nothing that {endpoint.model} wrote is supported by the abstract"
        except (HttpError, PapersError) as error:
            note = str(error)
    if whole and (claim := plain_text(tldr)):
        if (span := support(claim, whole)) is not None:
            made = _summary([(claim, span)], whole, "tldr")
            return replace(made, model="TLDR", host="Semantic Scholar", version=version, note=note)
        note = "; ".join(filter(None, (note, "the abstract does not support Semantic Scholar's TLDR")))
    return replace(summarize(paper.abstract), version=version, note=note)


def _written_by_model(paper: Paper, endpoint: Endpoint) -> list[str]:
    """Ask for the sentences that the language model writes, without empty and overlong ones."""
    answer = json_object(endpoint.complete(messages(_TASK, paper)))
    claims = answer.get("sentences")
    if not isinstance(claims, list) or not all(isinstance(claim, str) for claim in claims):
        raise MalformedError(f"{endpoint.model} did not answer with a list of sentences")
    return [" ".join(claim.split()) for claim in claims[:_MOST_CLAIMS] if 0 < len(claim.strip()) <= _LONGEST_CLAIM]


def _dropped(number: int) -> str:
    return f"{number} sentence{'s' * (number > 1)} that the abstract does not support left out" if number > 0 else ""


def _summary(found: Sequence[tuple[str, Span]], whole: tuple[Span, ...], method: Method) -> Summary:
    claims = tuple(claim for claim, _ in found)
    starts = {span.start: place for place, span in enumerate(whole)}
    positions = tuple(starts[span.start] for _, span in found)
    return Summary(" ".join(claims), claims, positions, method, tuple(span for _, span in found))


def summarize(abstract: str, *, count: int = _SENTENCES) -> Summary:
    r"""Choose the sentences that say most of an abstract.

    Args:
        abstract: The abstract, with LaTeX.
        count: How many sentences at most.

    Example:
        >>> summarize(r"We ablate units. It rains. We show that ablating units hurts some classes \cite{a2018b}.").text
        'We ablate units. We show that ablating units hurts some classes.'
    """
    places = spans(abstract)
    whole = [span.text for span in places]
    if len(whole) <= count:
        return Summary(" ".join(whole), tuple(whole), tuple(range(len(whole))), spans=places)
    vectors = _vectors([*whole, " ".join(whole)])
    likeness = vectors @ vectors.T
    scores = likeness[:-1, -1] + np.array([_bonus(sentence, place) for place, sentence in enumerate(whole)])
    chosen: list[int] = []
    while len(chosen) < count:
        repeated = likeness[:-1, chosen].max(axis=1) if chosen else np.zeros(len(whole))
        remaining = scores - _REPETITION * repeated
        remaining[chosen] = -np.inf
        chosen.append(int(np.argmax(remaining)))
    positions = tuple(sorted(chosen))
    found = tuple(whole[position] for position in positions)
    return Summary(" ".join(found), found, positions, spans=tuple(places[position] for position in positions))


def _bonus(sentence: str, place: int) -> float:
    return _CUE_BONUS * bool(_CUE.search(sentence)) + _FIRST_BONUS * (place == 0)


def _vectors(texts: list[str]) -> FloatArray:
    """Make TF-IDF vectors of length one, weighted by how usual a word is in all of arXiv."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    known = shipped_frequencies()
    stems = sorted({stem for text in texts for stem in _stems(text)}) or ["-"]
    vectorizer = TfidfVectorizer(analyzer=_stems, vocabulary=stems)
    frequencies = np.array([known.document_frequency(stem, "all") for stem in stems])
    vectorizer.idf_ = np.log((1 + known.groups["all"]) / (1 + frequencies)) + 1
    vectors: FloatArray = vectorizer.transform(texts).toarray()
    return vectors


def _stems(text: str) -> list[str]:
    return [word.stem for run in runs(prose(text)) for word in run]

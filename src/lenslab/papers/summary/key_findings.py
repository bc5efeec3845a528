"""Key findings: seven facets of a paper, as a language model reads them out of its abstract, each one checked there.

They exist only where an endpoint is configured. What the abstract does not support is dropped, so that a facet of
which it says nothing is empty: ``NOT_STATED`` is what a page shows for it.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from lenslab.papers.errors import MalformedError
from lenslab.papers.paper import Paper
from lenslab.papers.summary.abstract_support import Span, spans, support
from lenslab.papers.summary.llm_endpoint import Endpoint
from lenslab.papers.summary.summary_prompt import json_object, messages

NOT_STATED = "not stated in the abstract"
# The name in the answer, what a reader is shown, and whether it is a list.
FACETS = (
    ("methodology", "Methodology", False),
    ("key_results", "Key results", True),
    ("significance", "Significance", False),
    ("limitations", "Limitations", True),
    ("future_work", "Future work", True),
    ("technical_contribution", "Technical contribution", False),
    ("novelty", "Novelty", False),
)
_MOST_ITEMS = 8
_LONGEST_ITEM = 600
_TASK = (
    "Read the key findings out of the abstract. Answer with one JSON object and nothing else. Its keys are "
    + ", ".join(f"{name} ({'a list of sentences' if many else 'one sentence'})" for name, _, many in FACETS)
    + ". Write whole sentences in the abstract's own terms, with its numbers. Where the abstract says nothing of a "
    "key, its value is an empty string or an empty list; never guess."
)


@dataclass(frozen=True, slots=True)
class Item:
    """A finding in a sentence or two, and where the abstract says so, in its plain text."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Findings:
    """The key findings of a paper.

    Attributes:
        facets: For each name in ``FACETS``, in that order, what the abstract supports; empty where nothing is.
        dropped: How many items the model wrote that the abstract does not support.
        model: The model that wrote them.
        host: Where it ran.
        made: when.
        version: The version of the paper whose abstract was read, where known.
    """

    facets: dict[str, tuple[Item, ...]]
    dropped: int
    model: str
    host: str
    made: dt.datetime
    version: int | None = None

    def shown(self) -> list[tuple[str, tuple[str, ...]]]:
        """Give each facet's heading with what to write under it."""
        return [
            (heading, tuple(item.text for item in self.facets[name]) or (NOT_STATED,)) for name, heading, _ in FACETS
        ]


def key_findings(
    paper: Paper, endpoint: Endpoint, *, now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)
) -> Findings:
    """Ask a language model for the key findings of a paper, and keep those that its abstract supports.

    Args:
        paper: The paper; one without an abstract has none, and nothing is asked.
        endpoint: The language model.
        now: Tells the time.

    Raises:
        UnavailableError: The endpoint does not answer, or refuses.
        MalformedError: Its answer has not the form that was asked for.
    """
    whole = spans(paper.abstract)
    answer = json_object(endpoint.complete(messages(_TASK, paper))) if whole else {}
    facets: dict[str, tuple[Item, ...]] = {}
    dropped = 0
    for name, _, many in FACETS:
        claims = _claims(answer.get(name), name)[: _MOST_ITEMS if many else 1]
        items = [Item(claim, span) for claim in claims if (span := support(claim, whole)) is not None]
        dropped += len(claims) - len(items)
        facets[name] = tuple(items)
    version = paper.versions[-1].number if paper.versions else None
    return Findings(facets, dropped, endpoint.model, endpoint.host, now(), version)


def _claims(value: object, name: str) -> list[str]:
    """Read what the answer says of a facet; a text for a list, or a list for a text, is as good."""
    given = [value] if isinstance(value, str) else [] if value is None else value
    if not isinstance(given, list) or not all(isinstance(claim, str) for claim in given):
        raise MalformedError(f"the language model's answer for {name} is neither a sentence nor a list of sentences")
    tidied = (" ".join(claim.split()) for claim in given)
    return [claim for claim in tidied if 0 < len(claim) <= _LONGEST_ITEM and claim.lower().rstrip(".") != NOT_STATED]

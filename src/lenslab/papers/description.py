"""A bibliographic description: what one source says of one work, and a citation that a source asserts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lenslab.papers.paper import Paper


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What one source says of one work, as it says it.

    Attributes:
        source: The source's name, a key of ``lenslab.papers.sources.record_parsers.PARSERS``.
        locator: The work's name at the source; a source never gives it to another work.
        paper: What the source says, in fields that all sources share; empty where it says nothing.
        raw: The source's own record, byte for byte or, inside of a larger answer, the part that speaks of this work;
            ``PARSERS`` reads it again.
        names: The work's identifiers elsewhere, by scheme: ``S2`` (Semantic Scholar's hash), ``CorpusId``,
            ``OpenAlex``, ``DBLP``, ``MAG``, ``PubMed``, ``PubMedCentral``, ``ACL``. The arXiv id and the DOI stand in
            ``paper``.
        assumptions: What was assumed where the source leaves something open, a sentence each.
        tldr: A one-sentence summary that the source made; empty where there is none.
        citation_count: How many works cite this one, as the source counts; ``None`` where it does not say.
        reference_count: How many works it cites, as the source counts.
        influential_count: How many citing works build on it, as Semantic Scholar counts.
    """

    source: str
    locator: str
    paper: Paper
    raw: bytes = field(default=b"", repr=False)
    names: Mapping[str, str] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()
    tldr: str = ""
    citation_count: int | None = None
    reference_count: int | None = None
    influential_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """A source says that one work cites another.

    Attributes:
        citing: The work that cites.
        cited: The work that is cited.
        influential: Whether the source calls the citation influential; ``None`` where it does not say.
        intents: Why it cites, in the source's words: ``background``, ``methodology``, ``result``.
        source: Who says so, where it is not the source of the citing work's description.
    """

    citing: Description
    cited: Description
    influential: bool | None = None
    intents: tuple[str, ...] = ()
    source: str = ""

    @property
    def said_by(self) -> str:
        """The name of the source that says so."""
        return self.source or self.citing.source

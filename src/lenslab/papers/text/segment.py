"""A segment: a stretch of a title or abstract that is shown in one way."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "emphasis", "strong", "formula", "citation", "link"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a title or abstract that is shown in one way.

    Attributes:
        kind: How it is shown.
        text: What is shown; of a formula its TeX without dollar signs, of a citation its key.
        target: Of a link its address, which begins with http:// or https://; of a citation its key; else empty.
    """

    kind: Kind
    text: str
    target: str = ""

"""What the record of anything that was measured on a network holds, a run or a screening."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lenslab.records import BrokenRecordError, Record
from lenslab.runs.metadata import DatasetMetadata, NetworkMetadata, SiteMetadata, number, text


@dataclass(frozen=True, repr=False)
class MeasuredRecord:
    """A record of what was measured on a network with some images.

    Attributes:
        record: The directory with its document and tables.
    """

    record: Record

    @property
    def directory(self) -> Path:
        """Where it lies."""
        return self.record.directory

    @property
    def key(self) -> str:
        """The SHA-256 of everything that decides a number; equal keys mean equal questions."""
        return self.record.key

    @cached_property
    def accuracy(self) -> float:
        """The fraction of images that the network classifies correctly with every unit in place."""
        found = number(self.record.document, "accuracy")
        if found is None:
            raise BrokenRecordError(f"{self.directory} does not say its accuracy; measure again")
        return found

    @cached_property
    def network(self) -> NetworkMetadata:
        """The network that was measured."""
        return NetworkMetadata.recorded(self.record.document)

    @cached_property
    def dataset(self) -> DatasetMetadata:
        """The images that were measured on."""
        return DatasetMetadata.recorded(self.record.document)

    @cached_property
    def sites(self) -> tuple[SiteMetadata, ...]:
        """The sites that were measured, in the order of execution."""
        return SiteMetadata.recorded(self.record.document, self.directory)

    @property
    def finished(self) -> str | None:
        """When it was finished, in UTC and ISO 8601."""
        return text(self.record.document, "finished")

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader should know, a sentence each."""
        return self._sentences("warnings")

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What was assumed of the network and the images, a sentence each."""
        return self._sentences("assumptions")

    def _sentences(self, name: str) -> tuple[str, ...]:
        held = self.record.document.get(name)
        return tuple(str(sentence) for sentence in held) if isinstance(held, list) else ()

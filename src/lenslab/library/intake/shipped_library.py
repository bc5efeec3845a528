"""The library that comes with the package: reading its files, and keeping the database equal to them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from django.db import transaction

from lenslab.library import shipped_records
from lenslab.library.errors import ShippedDataError
from lenslab.library.graph import citation_edges
from lenslab.library.intake import record_intake
from lenslab.library.models import ShippedFile
from lenslab.papers.citation_key import citation_key
from lenslab.papers.description import Assertion, Description
from lenslab.papers.work import Work

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of shipped data."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """The hash that tells whether the database already holds this very file."""
        return hashlib.sha256(self.content).hexdigest()


def shipped_data(directory: Traversable | None = None) -> list[DataFile]:
    """List the files of the package by name.

    Example:
        >>> [data.name for data in shipped_data()]
        ['1806.02891.json']
    """
    folder = directory if directory is not None else files("lenslab.library") / "data"
    found = [entry for entry in folder.iterdir() if entry.name.endswith(".json")]
    return [DataFile(entry.name, entry.read_bytes()) for entry in sorted(found, key=lambda entry: entry.name)]


def is_loaded(data: DataFile) -> bool:
    """Tell whether the database holds exactly this file."""
    return ShippedFile.objects.filter(name=data.name, sha256=data.sha256).exists()


def load(data: DataFile) -> None:
    """Make the database hold what the file says, all or nothing.

    Loading twice changes nothing. A changed file updates works in place, so that what others attached to a work stays.

    Raises:
        ShippedDataError: The file is not what this version writes.
    """
    try:
        document = json.loads(data.content)
        if document["schema"] != SCHEMA:
            raise ShippedDataError(
                f"shipped file {data.name!r} has schema {document['schema']}, and this version reads {SCHEMA}; "
                "install lenslab again"
            )
        with transaction.atomic():
            _load(document)
            ShippedFile.objects.update_or_create(name=data.name, defaults={"sha256": data.sha256})
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, ShippedDataError):
            raise
        raise ShippedDataError(f"shipped file {data.name!r} is damaged ({error!r}); install lenslab again") from error


def _load(document: dict[str, Any]) -> None:
    paper = document["paper"]
    own, other = paper["records"]
    arxiv = _describe(own["source"], {**paper, **own})
    # The page names the paper and says when; all the rest is arXiv's word.
    page = _describe(other["source"], {name: paper[name] for name in ("title", "authors", "year", "arxiv_id")} | other)
    references, citations = document["references"], document["citations"]
    cited = [_describe(references["source"], {**entry, "locator": _key(entry)}) for entry in references["works"]]
    rows = ({**entry, "locator": f"{paper['arxiv_id']}, row {entry['row']}"} for entry in citations["works"])
    citing = [_describe(citations["source"], entry) for entry in rows]
    record_intake.add_records([arxiv, page])
    assertions = [Assertion(citing=arxiv, cited=one, source=references["source"]) for one in cited]
    outcome = record_intake.add_citations([*assertions, *(Assertion(citing=one, cited=page) for one in citing)])

    def records(descriptions: list[Description]) -> set[int]:
        return {outcome.records[one.source, one.locator][0] for one in descriptions}

    # What only this file asserted, and asserts no more, goes; works stay, since others may speak of them.
    (named_by_arxiv,), (named,) = records([arxiv]), records([page])
    citation_edges.keep_only(references["source"], named_by_arxiv, "referenced", records(cited))
    citation_edges.keep_only(citations["source"], named, "citing", records(citing))


def _describe(source: str, entry: dict[str, Any]) -> Description:
    kept = {name: value for name, value in entry.items() if name not in ("records", "source")}
    return shipped_records.parse(source, json.dumps(kept, ensure_ascii=False, sort_keys=True).encode())


def _key(entry: dict[str, Any]) -> str:
    return citation_key(Work(entry["title"], tuple(entry["authors"]), entry["year"]))

"""Files of papers into the library: streamed, resumable, with a list of what was not taken and why."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from django.db import transaction

from lenslab.library import bulk_rows, works
from lenslab.library.errors import NotAListError, UnknownFormatError
from lenslab.library.intake import duplicate_rule, record_intake
from lenslab.library.models import FileImport, Work
from lenslab.library.stored_records import digest, parse_record
from lenslab.papers.description import Assertion, Description
from lenslab.papers.errors import MalformedError
from lenslab.papers.formats import bibtex_reader, csl_reader, ris_reader
from lenslab.papers.formats.rejection import Rejection
from lenslab.papers.sources import arxiv_snapshot
from lenslab.papers.text.file_lines import TooLong, lines
from lenslab.records import atomic_write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from lenslab.papers.paper import Paper

Format = Literal["snapshot", "bibtex", "ris", "csl"]
FORMATS: tuple[Format, ...] = ("snapshot", "bibtex", "ris", "csl")

# Records in one transaction: enough that its cost does not count, few enough that little is lost and memory is flat.
_BATCH = 2000
_LONGEST_LOCATOR = 300
_OTHER_WORK = "its key was that of another work in a file called {file}, which is kept"
NAMES: Mapping[Format, str] = {"snapshot": "arXiv's snapshot", "bibtex": "BibTeX", "ris": "RIS", "csl": "CSL-JSON"}
_READERS = {"bibtex": bibtex_reader.read, "ris": ris_reader.read, "csl": csl_reader.read}


@dataclass(slots=True)
class Imported:
    """What an import did.

    Attributes:
        file: The file that was read.
        format: What it was read as.
        rejected: How many entries could not be read.
        rejects: The file that names them with the reasons; ``None`` where there are none.
        resumed_at: The line behind which an interrupted import went on; 0 if it began at the beginning.
        works: Keys of the works that a bibliography names, in its order; empty for a snapshot.
        joined: How many entries of a bibliography are of a work that the library had, or that another entry is.
        doubtful: Pairs of keys of works that are possibly the same, and were left apart.
        assumptions: What was assumed of a bibliography's entries, a sentence each, with their keys.
    """

    file: Path
    format: Format
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    rejects: Path | None = None
    resumed_at: int = 0
    works: list[str] = field(default_factory=list)
    joined: int = 0
    doubtful: list[tuple[str, str]] = field(default_factory=list)
    assumptions: dict[str, list[str]] = field(default_factory=dict)

    @property
    def read(self) -> int:
        """How many entries were read, rejected ones included."""
        return self.added + self.changed + self.unchanged + self.rejected


def import_file(
    path: Path,
    *,
    format: Format | None = None,  # noqa: A002 - the word that people type
    rejects: Path | None = None,
    more_rejects: bool = False,
    cited_by: Work | None = None,
    progress: Callable[[float, float], None] | None = None,
) -> Imported:
    """Import a file of papers.

    An arXiv snapshot is read in portions, each of which is kept with how far the file was read: an import that was
    interrupted or killed goes on there. A bibliography is taken all or nothing.

    Args:
        path: An arXiv snapshot (JSON lines, plain, .gz or .zst), or a BibTeX, RIS or CSL-JSON file.
        format: What it is; detected by its content where it is not given.
        rejects: Where entries that cannot be read are listed, as JSON lines; by default beside the working directory's
            other files, under the file's name with ``.rejects.jsonl``. No file is written where there are none.
        more_rejects: Whether the list goes on with those of a file before.
        cited_by: A work that references every entry of a bibliography.
        progress: Told bytes read and bytes in all.

    Raises:
        FileError: There is no such file, or it cannot be read.
        MalformedError: The file is damaged; what was read before the damage is kept.
        UnknownFormatError: The file is none of the formats.
        NotAListError: Something else stands where rejected entries would be listed.
    """
    kind = format or detect_format(path)
    listed = _Rejects(rejects or Path(f"{path.name}.rejects.jsonl"), of=path, more=more_rejects)
    if kind == "snapshot":
        done = _import_snapshot(path, listed, progress)
    else:
        done = _import_bibliography(path, kind, listed, cited_by)
    done.rejects = listed.path if listed.written else None
    return done


def detect_format(path: Path) -> Format:
    """Detect a file's format by its first lines; ``import_file`` names the errors."""
    for _, _, line in islice(lines(path), 200):
        if isinstance(line, TooLong):
            break
        begin = line.lstrip()
        if begin.startswith(b"{"):
            return "snapshot" if begin.rstrip().endswith(b"}") else "csl"
        if begin.startswith(b"["):
            return "csl"
        if begin.startswith(b"TY  -"):
            return "ris"
        if begin.startswith(b"@"):
            return "bibtex"
    raise UnknownFormatError(
        f"{path} begins like none of the formats: an arXiv snapshot (one JSON object a line), BibTeX, RIS, CSL-JSON; "
        f"if it is one of them, say which with --format {' | '.join(FORMATS)} (EndNote's tags are written and not read)"
    )


def _import_snapshot(path: Path, listed: _Rejects, progress: Callable[[float, float], None] | None) -> Imported:
    about = path.resolve().stat() if path.exists() else None
    size = about.st_size if about else 0
    journal, _ = FileImport.objects.get_or_create(
        name=str(path.resolve()),
        size=size,
        modified=about.st_mtime_ns if about else 0,
        defaults={"begun": dt.datetime.now(dt.UTC)},
    )
    report: Callable[[int], None] | None = (lambda position: progress(position, size)) if progress else None
    done = Imported(path, "snapshot", journal.added, journal.changed, journal.unchanged, journal.rejected)
    done.resumed_at = journal.line
    listed.begin(journal.line)
    try:
        with bulk_rows.bounded_memory():
            for last, portion in _portions(arxiv_snapshot.read(path, skip=journal.line, progress=report)):
                with bulk_rows.gc_paused(), transaction.atomic():
                    _take(portion, done, listed)
                    journal.line = last
                    for name in ("added", "changed", "unchanged", "rejected"):
                        setattr(journal, name, getattr(done, name))
                    journal.save()
    finally:
        if not journal.line:
            journal.delete()
    # A file that was read to its end leaves no trace here: its records do.
    if journal.pk:
        journal.delete()
    bulk_rows.flush_search_index()
    return done


def _portions(
    entries: Iterator[tuple[int, int | None, Description | Rejection]],
) -> Iterator[tuple[int, list[Description | Rejection]]]:
    """Give portions of entries with the last line's number; where the file breaks, what was read before comes first."""
    broken: Exception | None = None
    while True:
        portion: list[tuple[int, Description | Rejection]] = []
        try:
            for number, _, entry in islice(entries, _BATCH):
                portion.append((number, entry))
        except (ValueError, OSError) as error:
            broken = error
        if portion:
            yield portion[-1][0], [entry for _, entry in portion]
        if broken is not None:
            raise broken
        if not portion:
            return


def _import_bibliography(path: Path, kind: Format, listed: _Rejects, cited_by: Work | None) -> Imported:
    done = Imported(path, kind)
    entries = _located(list(_READERS[kind](path)), path.name)
    if not entries:
        raise MalformedError(f"{path} holds no entries of {NAMES[kind]}; say what it is with --format")
    listed.begin(0)
    with transaction.atomic():
        before = works.number_of_works()
        outcome = _take(entries, done, listed)
        descriptions = [entry for entry in entries if isinstance(entry, Description)]
        pks = [outcome.records[entry.source, entry.locator][1] for entry in descriptions]
        keys = {pk: key for part in bulk_rows.batched(pks) for pk, key in
                Work.objects.filter(pk__in=part).values_list("pk", "key")}  # fmt: skip
        done.works = list(dict.fromkeys(keys[pk] for pk in pks))
        done.joined = done.added - (works.number_of_works() - before)
        done.doubtful = [(twins.one, twins.other) for twins in works.doubtful(pks)]
        for entry in descriptions:
            for sentence in entry.assumptions:
                done.assumptions.setdefault(sentence, []).append(entry.locator.partition(": ")[2])
        if cited_by is not None and descriptions:
            record = cited_by.source_records.order_by("pk").first()
            assert record is not None, "every work rests on a record"
            citing = parse_record(record.source, record.content)
            record_intake.add_citations(
                [Assertion(citing=citing, cited=one, source=f"{one.source}: {path.name}"[:60]) for one in descriptions]
            )
    return done


def _located(entries: Sequence[Description | Rejection], file: str) -> list[Description | Rejection]:
    """Give each entry a locator that no other work has: keys are unique in their file only, and so are files' names."""
    found = [
        entry if isinstance(entry, Rejection) else replace(entry, locator=_locator(file, entry.locator))
        for entry in entries
    ]
    number = 1
    while others := _of_other_works(each for each in found if isinstance(each, Description)):
        number += 1
        found = [
            replace(
                each,
                locator=_locator(f"{file} ({number})", before.locator),
                assumptions=(*before.assumptions, _OTHER_WORK.format(file=file)),
            )
            if isinstance(each, Description) and isinstance(before, Description) and each.locator in others
            else each
            for each, before in zip(found, entries, strict=True)
        ]
    return found


def _of_other_works(descriptions: Iterable[Description]) -> set[str]:
    """Find the locators under which the library holds what another work says."""
    mine = {description.locator: description for description in descriptions}
    source = next((description.source for description in mine.values()), "")
    query = "SELECT locator, sha256, content FROM library_sourcerecord WHERE source = %s AND locator IN {list}"
    return {
        locator
        for locator, sha, content in bulk_rows.select(query, sorted(mine), source)
        if bytes(sha) != digest(mine[locator].raw)
        and not _are_one(mine[locator].paper, parse_record(source, content).paper)
    }


def _are_one(one: Paper, other: Paper) -> bool:
    """Tell whether an entry is the one that it was, edited."""
    same_doi = bool(one.doi) and one.doi.lower() == other.doi.lower()
    same_id = one.arxiv_id is not None and other.arxiv_id is not None and one.arxiv_id.base == other.arxiv_id.base
    return same_doi or same_id or duplicate_rule.titles_alike(one, other)


def _locator(file: str, key: str) -> str:
    """Write where an entry is; of one that is too long a hash stands for the end."""
    whole = f"{file}: {key}"
    if len(whole) <= _LONGEST_LOCATOR:
        return whole
    return f"{whole[: _LONGEST_LOCATOR - 17]}~{hashlib.sha256(whole.encode()).hexdigest()[:16]}"


def _take(portion: Iterable[Description | Rejection], done: Imported, listed: _Rejects) -> record_intake.Outcome:
    descriptions: list[Description] = []
    for entry in portion:
        if isinstance(entry, Description):
            descriptions.append(entry)
            continue
        listed.add(entry)
        done.rejected += 1
    outcome = record_intake.add_records(descriptions)
    done.added += outcome.added
    done.changed += outcome.changed
    # An entry that stands twice is one record, and the second one changes nothing.
    done.unchanged += len(descriptions) - outcome.added - outcome.changed
    return outcome


class _Rejects:
    """The list of entries that were not taken: one JSON object a line, written as they are met."""

    def __init__(self, path: Path, *, of: Path, more: bool) -> None:
        self.path = path
        self.more = more
        self.written = 0
        if path.exists() and (path.samefile(of) or not self._is_list()):
            raise NotAListError(
                f"{path} is there and is no list of rejected entries, which would replace it; name another file with "
                "--rejects FILE"
            )

    def begin(self, line: int) -> None:
        """Start the list, or go on with that of an import which had read so many lines when it was interrupted."""
        if self.more:
            return
        listed = self.path.read_text("utf-8").splitlines() if line and self.path.exists() else []
        kept = [row for row in listed if json.loads(row)["number"] <= line]
        if kept:
            atomic_write.write_text(self.path, "\n".join(kept) + "\n")
        else:
            self.path.unlink(missing_ok=True)
        self.written = len(kept)

    def add(self, entry: Rejection) -> None:
        row = {"number": entry.number, "reason": entry.reason} | ({"key": entry.locator} if entry.locator else {})
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
        self.written += 1

    def _is_list(self) -> bool:
        try:
            rows = [json.loads(row) for row in self.path.read_text("utf-8").splitlines()]
        except (OSError, ValueError):
            return False
        return all(isinstance(row, dict) and {"number", "reason"} <= row.keys() for row in rows)

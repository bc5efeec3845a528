"""``lenslab paper add | import | harvest``: papers from the world into the library."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Option

from lenslab.cli import console
from lenslab.cli.paper_lookup import AsJson, find, open_library

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lenslab.http.client import HttpClient
    from lenslab.library.intake.file_import import Imported

_MOST_ASSUMPTIONS = 10
_MOST_KEYS = 3
_SOURCES = {"arxiv": "arXiv", "semantic-scholar": "Semantic Scholar", "openalex": "OpenAlex"}
_COUNTS = ("added", "changed", "unchanged", "rejected")


def add(
    identifier: Annotated[str, Argument(metavar="ID", help="An arXiv id in any form, a DOI, or a key of the library.")],
    depth: Annotated[
        int, Option(min=0, max=2, help="0: the paper; 1: what cites it and what it cites; 2: further.")
    ] = 1,
    without: Annotated[list[str] | None, Option(metavar="SOURCE", help=f"Leave out: {', '.join(_SOURCES)}.")] = None,
    refresh: Annotated[bool, Option("--refresh", help="Read lists again that were read within a day.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add a paper and the works around it, from arXiv, Semantic Scholar and OpenAlex.

    Stopped at any moment, the same command goes on where it stopped.
    """
    left_out = [name.lower() for name in without or ()]
    for name in left_out:
        if name not in _SOURCES:
            raise typer.BadParameter(f"no source {name!r}; there are {', '.join(_SOURCES)}", param_hint="--without")
    sources = [source for name, source in _SOURCES.items() if name not in left_out]
    if not sources:
        raise typer.BadParameter("every source is left out; leave one", param_hint="--without")
    open_library()
    from lenslab.library.intake import source_download

    with console.progress("adding") as progress, _fetcher() as fetcher:
        done = source_download.add_paper(
            identifier,
            fetcher=fetcher,
            depth=depth,
            sources=sources,
            refresh=refresh,
            progress=progress,
            log=console.remark,
        )
    if as_json:
        facts = asdict(done)
        console.print_json({"paper": facts.pop("key"), **facts})
        return
    console.answers.print(console.escaped(done.title), style="bold", soft_wrap=True)
    console.answers.print(
        f"{_many(done.new_works, 'new work')}, {_many(done.new_citations, 'new citation')}, "
        f"{_many(done.changed, 'record')} changed",
        style="dim",
    )
    for sentence in [*(one.sentence for one in done.coverage), *done.gaps]:
        console.answer(f"  {sentence}")
    console.remark(f"\nread it with: lenslab paper show {done.key}")


def import_(
    files: Annotated[
        list[Path],
        Argument(metavar="FILE...", help="arXiv snapshots (.json, .gz, .zst), BibTeX, RIS, or CSL-JSON files."),
    ],
    format_: Annotated[
        str | None, Option("--format", help="snapshot, bibtex, ris or csl; told by the content by default.")
    ] = None,
    rejects: Annotated[Path | None, Option(metavar="FILE", help="Where to list what could not be read.")] = None,
    cited_by: Annotated[
        str | None, Option(metavar="ID", help="The paper whose references a bibliography lists.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import files of papers; entries that cannot be read are listed with the reason.

    A record that says what it said before changes nothing; one that says something else replaces it. An import of a
    snapshot that was stopped goes on where it was.
    """
    open_library()
    from lenslab.library import vocabulary
    from lenslab.library.intake import file_import

    if format_ is not None and format_ not in file_import.FORMATS:
        known = ", ".join(file_import.FORMATS)
        raise typer.BadParameter(f"no format {format_!r}; there are {known}", param_hint="--format")
    kind: Any = format_
    citing = find(cited_by) if cited_by else None
    imported = []
    for number, path in enumerate(files):
        with console.progress(f"importing {console.escaped(path.name)}") as progress:
            done = file_import.import_file(
                path,
                format=kind,
                rejects=rejects,
                more_rejects=bool(rejects and number),
                cited_by=citing,
                progress=progress,
            )
        imported.append(done)
        if not as_json:
            resumed = f", going on behind line {done.resumed_at:,}" if done.resumed_at else ""
            counts = (f"{getattr(done, name):,} {name}" for name in _COUNTS)
            console.answer(f"{path.name}: {', '.join(counts)}{resumed}")
            for sentence in _about(done):
                console.answer(f"  {sentence}")
            if done.rejects:
                console.remark(f"what was rejected, and why: {done.rejects}")
    if waiting := vocabulary.count_few():
        console.remark(f"{waiting:,} papers are not in the term counts yet; count them with: lenslab paper count-terms")
    if as_json:
        total = {name: sum(getattr(one, name) for one in imported) for name in _COUNTS}
        parts = [
            {
                "file": str(one.file),
                "format": one.format,
                **{name: getattr(one, name) for name in _COUNTS},
                "rejects": str(one.rejects) if one.rejects else None,
                "resumed_at": one.resumed_at,
                "works": one.works,
                "joined": one.joined,
                "possibly_the_same": one.doubtful,
                "assumptions": one.assumptions,
            }
            for one in imported
        ]
        console.print_json({**total, "files": parts})


def _about(done: Imported) -> Iterator[str]:
    """Say which entries became no works of their own, and what was assumed of the others."""
    if done.joined:
        yield f"{_entries(done.joined)} joined works that were there; lenslab paper merges ID says why"
    if done.doubtful:
        pairs = "pair of works is" if len(done.doubtful) == 1 else "pairs of works are"
        yield f"{len(done.doubtful):,} {pairs} possibly the same, and left apart; lenslab paper merges lists them"
    if done.assumptions:
        yield "assumed:"
    often = sorted(done.assumptions.items(), key=lambda assumed: -len(assumed[1]))
    for sentence, keys in often[:_MOST_ASSUMPTIONS]:
        named = ", ".join(keys[:_MOST_KEYS]) + (", ..." if len(keys) > _MOST_KEYS else "")
        yield f"  {_entries(len(keys))} ({named}): {sentence}"
    if (further := len(done.assumptions) - _MOST_ASSUMPTIONS) > 0:
        yield f"  and {further:,} more: lenslab paper import --json lists them"


def _entries(number: int) -> str:
    return "1 entry" if number == 1 else f"{number:,} entries"


def harvest(
    part: Annotated[
        str, Option("--set", metavar="SET", help="A part of arXiv, for instance cs or cs:cs:CV; all by default.")
    ] = "",
    since: Annotated[
        str | None, Option(metavar="DATE", help="The first day; by default where the last one ended.")
    ] = None,
    until: Annotated[str | None, Option(metavar="DATE", help="The last day; by default today.")] = None,
    as_json: AsJson = False,
) -> None:
    """Take in what has changed at arXiv since the last harvest, over OAI-PMH."""
    open_library()
    from lenslab.library.intake import arxiv_harvest

    with _fetcher() as fetcher:
        done = arxiv_harvest.harvest(part, fetcher=fetcher, since=since, until=until, log=console.remark)
    if as_json:
        facts = asdict(done)
        days = {name: facts.pop(name) or None for name in ("since", "until")}
        console.print_json({"set": facts.pop("part") or None, **days, **facts})
        return
    numbers = {name: getattr(done, name) for name in _COUNTS[:3]} | {"rejected": len(done.rejected)}
    counts = ", ".join(f"{number:,} {name}" for name, number in numbers.items())
    gone = f", {len(done.deleted):,} no longer at arXiv" if done.deleted else ""
    console.answer(f"{counts}{gone}; up to {done.until or 'the beginning'}")
    for reason in done.rejected[:20]:
        console.remark(f"rejected: {reason}")


@contextmanager
def _fetcher() -> Iterator[HttpClient]:
    """Open the HTTP client with the library's cache; what takes its time is logged on the error stream."""
    from lenslab.http.client import HttpClient
    from lenslab.library.intake.database_cache import DatabaseCache

    with HttpClient(cache=DatabaseCache(), log=console.remark) as fetcher:
        yield fetcher


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"

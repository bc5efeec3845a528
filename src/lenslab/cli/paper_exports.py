"""``lenslab paper cite | export``: papers and networks as files for other programs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from lenslab.cli import console
from lenslab.cli.paper_lookup import find
from lenslab.records import atomic_write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenslab.papers.paper import Paper

Identifiers = Annotated[list[str], Argument(metavar="ID...", help="Papers of the library: arXiv ids, DOIs, or keys.")]


class Style(StrEnum):
    """How papers are cited."""

    bibtex = "bibtex"
    ris = "ris"
    endnote = "endnote"
    csl = "csl"


class Form(StrEnum):
    """What can be exported: bibliographies, and networks."""

    bibtex = "bibtex"
    ris = "ris"
    endnote = "endnote"
    csl = "csl"
    csv = "csv"
    graphml = "graphml"
    json = "json"


def cite(
    identifiers: Identifiers,
    style: Annotated[Style, Option(help="bibtex, ris, endnote, or csl for CSL-JSON.")] = Style.bibtex,
    as_json: Annotated[bool, Option("--json", help="CSL-JSON, the same as --style csl.")] = False,
) -> None:
    """Print one or more papers as entries of a bibliography."""
    find(identifiers[0])
    from lenslab.library import exports

    console.answers.file.write(_written(exports.papers(identifiers), "csl" if as_json else style.value))


def export(
    identifiers: Identifiers,
    form: Annotated[
        Form, Option("--format", help="bibtex, ris, endnote, csl; or the network as csv, graphml, json.")
    ] = Form.bibtex,
    around: Annotated[
        bool, Option("--around", help="With the works that cite the paper and those that it cites.")
    ] = False,
    limit: Annotated[int, Option(metavar="N", min=1, help="Works of a network at most.")] = 300,
    out: Annotated[Path | None, Option(metavar="FILE", help="Where to; csv writes FILE and FILE with -edges.")] = None,
    as_json: Annotated[bool, Option("--json", help="The network as JSON, the same as --format json.")] = False,
) -> None:
    """Write papers as a bibliography, or the network around one, for other programs."""
    work = find(identifiers[0])
    from lenslab.library import exports
    from lenslab.papers.formats import network_files

    kind = "json" if as_json else form.value
    if kind in tuple(Style):
        if around and len(identifiers) > 1:
            raise typer.BadParameter("name one paper; the works are those around it", param_hint="--around")
        _write(_written(exports.around(work) if around else exports.papers(identifiers), kind), out)
        return
    if len(identifiers) > 1:
        raise typer.BadParameter(f"a network is that around one paper; {len(identifiers)} were named", param_hint="ID")
    nodes, edges = exports.network(work, limit=limit)
    if kind == "csv":
        _write(network_files.nodes_csv(nodes), out)
        if out is None:
            console.answers.file.write("\n" + network_files.edges_csv(edges))
        else:
            _write(network_files.edges_csv(edges), out.with_name(f"{out.stem}-edges{out.suffix}"))
        return
    _write(network_files.graphml(nodes, edges) if kind == "graphml" else network_files.graph_json(nodes, edges), out)


def _written(papers: Sequence[Paper], style: str) -> str:
    from lenslab.papers.formats.bibtex_writer import bibliography
    from lenslab.papers.formats.csl_writer import csl
    from lenslab.papers.formats.endnote_writer import endnote
    from lenslab.papers.formats.ris_writer import ris

    return {"bibtex": bibliography, "ris": ris, "endnote": endnote, "csl": csl}[style](papers)


def _write(text: str, out: Path | None) -> None:
    if out is None:
        console.answers.file.write(text if text.endswith("\n") else f"{text}\n")
        return
    atomic_write.write_text(out, text)
    console.remark(f"wrote {out}")

"""The ``lenslab`` command: its parts put together, and every refusal turned into one message and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer
from typer import Option

from lenslab import __version__
from lenslab.cli import ablate, compare, curve, flips, networks, paper, report, serve, study, units_for
from lenslab.cli.console import remark
from lenslab.cli.extras import extra_for

FAILED, REFUSED, INTERRUPTED = 1, 2, 130

# Typer carries its own click, or uses the one that is installed; either way this is what a wrong option raises.
_UsageError: type[Exception] = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")

app = typer.Typer(
    name="lenslab",
    help="Read a paper, and run it again: paper pages whose claims you can test on your own network.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(networks.networks)
app.command()(networks.sites)
app.command()(ablate.ablate)
app.command("units-for")(units_for.units_for)
app.command()(curve.curve)
app.command()(compare.compare)
app.command()(flips.flips)
app.command()(report.report)
app.add_typer(study.app, name="study")
app.add_typer(paper.app, name="paper")
app.command()(serve.serve)


@app.callback(invoke_without_command=True)
def _version(version: bool = Option(False, "--version", help="Print the version and leave.")) -> None:
    if version:
        typer.echo(f"lenslab {__version__}")
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code: 0, 1 failed, 2 refused, 130 interrupted."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run what was typed behind ``lenslab``, and give the exit code."""
    try:
        code = int(app(list(arguments), prog_name="lenslab", standalone_mode=False) or 0)
        sys.stdout.flush()  # here, where it is known what to do if nobody reads, and not when Python ends
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except _UsageError as error:
        error.show()  # type: ignore[attr-defined]  # click's own way to print it
        return REFUSED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever was reading has left
        return 0
    except Exception as error:
        message = _refusal(error)
        if message is None:
            raise
        remark(f"lenslab: {message}")
        return FAILED if type(error).__name__ == "VerificationError" else REFUSED
    if code == INTERRUPTED:
        remark("\ninterrupted: what was finished is kept; the same command goes on from there")
    return code


def _refusal(error: Exception) -> str | None:
    """Give the message of an error that is meant for the user; ``None`` for one that is ours."""
    from lenslab.http.errors import HttpError
    from lenslab.library.errors import LibraryError
    from lenslab.papers.errors import PapersError
    from lenslab.records.errors import RecordsError
    from lenslab.report.errors import ReportError
    from lenslab.runs.errors import UnitsError
    from lenslab.studies.errors import StudiesError

    if isinstance(error, (HttpError, LibraryError, PapersError, RecordsError, ReportError, StudiesError, UnitsError)):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and (extra := extra_for(str(error.name))):
        return f"this command needs {error.name}; install it with: pip install 'lenslab[{extra}]'"
    if isinstance(error, OSError):
        return f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")
    return None

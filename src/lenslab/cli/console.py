"""What a person sees: answers on standard output, everything else on standard error."""

from __future__ import annotations

import json
import re
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

_SILENCE = 30.0
"""Seconds after which work whose progress goes to no terminal says how far it is."""

answers = Console(highlight=False, emoji=False)
"""Standard output: the answer, and nothing else."""

remarks = Console(stderr=True, highlight=False, emoji=False)
"""Standard error: progress, remarks, refusals."""


# What JSON lets stand in a text and a terminal obeys: control characters, and those that turn the writing around.
_OBEYED = re.compile("[\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def print_json(value: Any) -> None:
    """Print one JSON document, with nothing around it."""
    document = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    answers.file.write(_OBEYED.sub(lambda sign: f"\\u{ord(sign[0]):04x}", document) + "\n")


def remark(text: str) -> None:
    """Say something that is not the answer; the text is shown as it is, without markup."""
    remarks.print(visible(text), markup=False, soft_wrap=True)


def answer(text: str) -> None:
    """Print one line of the answer, whole however wide the terminal is; the text is shown as it is."""
    answers.print(escaped(text), soft_wrap=True)


def escaped(text: str) -> str:
    """Text that Rich shows as it is, without markup and without what turns a terminal around."""
    return escape(visible(text))


def visible(text: str) -> str:
    r"""Text without what turns a terminal around.

    Example:
        >>> visible("units\x1b[31m of \u202etext")
        'units [31m of  text'
    """
    return "".join(sign if sign.isprintable() or sign in "\n\t" else " " for sign in text)


def table(*columns: str, numbers: tuple[str, ...] = ()) -> Table:
    """Begin a table in the house's style; columns of numbers are set flush right."""
    grid = Table(box=None, header_style="dim", pad_edge=False)
    for column in columns:
        grid.add_column(column, justify="right" if column in numbers else "left", no_wrap=column in numbers)
    return grid


def bar(share: float, width: int) -> str:
    """Draw a bar, in markup: a share, from 0 to 1, of the longest, which is so many signs wide."""
    return f"[cyan]{'━' * max(1, round(width * share))}[/cyan]"


@contextmanager
def progress(description: str) -> Iterator[Callable[[float, float], None]]:
    """Show how far a long piece of work has come, as the callable given learns, with the time that is left.

    A terminal gets a bar; a file or a pipe gets a line from time to time.
    """
    if not remarks.is_terminal:
        yield _lines(description)
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=remarks,
    )
    with bar:
        task = bar.add_task(description, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _lines(description: str) -> Callable[[float, float], None]:
    """Say every half minute how far it is; work that is done before then says nothing."""
    begun = said = time.monotonic()

    def update(done: float, total: float) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said >= _SILENCE and 0 < done < total:
            said = now
            left = (now - begun) / done * (total - done)
            remark(f"{description}: {100 * done / total:.0f} %, about {duration(left)} left")

    return update


def rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Turn a table into JSON objects, one per row; what is not a number is null.

    Example:
        >>> import pandas as pd
        >>> rows(pd.DataFrame({"unit": [3], "low": [float("nan")]}))
        [{'unit': 3, 'low': None}]
    """
    found = frame.to_dict("records")
    return [{str(name): None if value != value else value for name, value in row.items()} for row in found]


def points(fraction: float, *, signed: bool = False) -> str:
    """Write a fraction of images in points, as people read it.

    Example:
        >>> points(0.1674), points(0.0012, signed=True)
        ('16.74', '+0.12')
    """
    return f"{100 * fraction:+.2f}" if signed else f"{100 * fraction:.2f}"


def probability(value: float) -> str:
    """Write a p-value or q-value.

    Example:
        >>> probability(1.0), probability(0.0312), probability(2.4e-12)
        ('1', '0.031', '2.4e-12')
    """
    return f"{value:.2g}"


def typed(path: Path) -> str:
    """Write a path as it is typed into a shell.

    Example:
        >>> typed(Path("runs/a")), typed(Path("my runs/a")), typed(Path("-a"))
        ('runs/a', "'my runs/a'", './-a')
    """
    text = str(path)
    return shlex.quote(f"./{text}" if text.startswith("-") else text)


def duration(seconds: float) -> str:
    """Write a time as people say it.

    Example:
        >>> duration(0.4), duration(75), duration(4000), duration(200_000)
        ('under a second', '1 min 15 s', '1 h 6 min', '55 h')
    """
    if seconds < 1:
        return "under a second"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min" + (f" {rest} s" if minutes < 10 and rest else "")
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h" + (f" {minutes} min" if hours < 10 and minutes else "")


def size(count: float) -> str:
    """Write a number of bytes as people say it.

    Example:
        >>> size(820_000), size(31_000_000), size(1_340_000_000)
        ('1 MB', '31 MB', '1.3 GB')
    """
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, count / 1e6):.0f} MB"

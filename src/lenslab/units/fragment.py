"""``PATH#PART``: a part of what lies at a path, the weights of a checkpoint or a split of a data set."""

from __future__ import annotations

from pathlib import Path


def located(path: str | Path) -> tuple[Path, str]:
    """Take the part off a path, unless there is something of that whole name.

    Example:
        >>> located("mine.ckpt#ema")[1], located("mine.ckpt")[1]
        ('ema', '')
    """
    whole = Path(path).expanduser()
    name, found, part = whole.name.rpartition("#")
    return (whole, "") if not found or whole.exists() else (whole.with_name(name), part)

"""What JSON answers have in common: they are read warily, for any field may be missing, null or of another kind."""

import json
from typing import Any

from lenslab.papers.errors import MalformedError

_CONTROLS = dict.fromkeys([*range(32), *range(127, 160)], " ")


def document(content: bytes) -> Any:
    """Read the value that a JSON document holds.

    Raises:
        MalformedError: It is no JSON.

    Example:
        >>> document(b'{"a": null}')
        {'a': None}
    """
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        reason = "its brackets are nested too deeply" if isinstance(error, RecursionError) else str(error)[:160]
        raise MalformedError(f"it is no whole JSON: {reason}") from None


def mapping(value: Any, what: str) -> dict[str, Any]:
    """Check that a value is an object; ``MalformedError`` if it is something else."""
    if not isinstance(value, dict):
        raise MalformedError(f"its {what} is no object but {type(value).__name__}")
    return value


def sequence(value: Any, what: str) -> list[Any]:
    """Check that a value is an array; ``MalformedError`` if it is something else."""
    if not isinstance(value, list):
        raise MalformedError(f"its {what} is no array but {type(value).__name__}")
    return value


def inner(value: Any) -> dict[str, Any]:
    """Read an object that may be missing or null: then it is empty.

    Example:
        >>> inner(None)
        {}
    """
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """Read an array that may be missing or null: then it is empty."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str:
    r"""Read a string, or a number as one, on one line; empty where there is none.

    Example:
        >>> text("two \n lines"), text(0), text(None), text(["x"])
        ('two lines', '0', '', '')
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    # Halves of characters can be written to no file, and null bytes to no PostgreSQL.
    whole = str(value).encode("utf-8", errors="replace").decode("utf-8")
    return " ".join(whole.translate(_CONTROLS).split())


def number(value: Any) -> int | None:
    """Read a whole number; ``None`` where there is none that makes sense.

    Example:
        >>> number(0), number(None), number("12"), number(-3), number(True)
        (0, None, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value < 1 << 53 else None


def year(value: Any) -> int | None:
    """Read a year in which a work can have appeared; ``None`` where there is none.

    Example:
        >>> year(2018), year(0), year("2018")
        (2018, None, None)
    """
    found = number(value)
    return found if found is not None and 1000 <= found <= 9999 else None


def packed(value: Any) -> bytes:
    """Write a value as JSON, the same for the same value; ``document`` reads it again.

    Raises:
        MalformedError: It is nested too deeply.
    """
    try:
        return json.dumps(value, separators=(",", ":")).encode("ascii")
    except RecursionError:
        raise MalformedError("its brackets are nested too deeply") from None

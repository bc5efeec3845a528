"""JSON from elsewhere, read strictly: what no database can keep is refused with its reason."""

import json
from typing import Any, NoReturn

from lenslab.papers.errors import MalformedError

# What JSON can write and no database keeps: the character zero, and one half of a pair.
_UNKEEPABLE = ("\\u0000", "\\ud", "\\uD")


def read(text: str) -> Any:
    """Read one JSON value.

    Raises:
        MalformedError: The text is no JSON, is nested too deeply, or holds characters that are none; the message says
            in a few words why.

    Example:
        >>> read('{"title": "On units"}')
        {'title': 'On units'}
    """
    return read_from(text, None)[0]


def read_from(text: str, start: int | None) -> tuple[Any, int]:
    """Read the JSON value that begins at a place in a text, and where it ends; errors are those of ``read``.

    Where no place is named, the text is one value and nothing else.
    """
    try:
        value, end = (_DECODER.decode(text), len(text)) if start is None else _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise MalformedError(f"not JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise MalformedError("nested too deeply") from None
    except ValueError as error:  # a number of more digits than Python reads
        raise MalformedError(f"not JSON: {error}") from None
    written = text if start is None else text[start:end]
    if "\\u" in written and any(escape in written for escape in _UNKEEPABLE):
        _check_characters(value)
    return value, end


def kind_of(value: object) -> str:
    """Name the kind of a value, in words.

    Example:
        >>> kind_of([]), kind_of(None)
        ('a list', 'null')
    """
    kinds = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
    return kinds.get(type(value), "null")


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedError(f"not JSON: {name} is no number there")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _check_characters(record: object) -> None:
    waiting: list[Any] = [record]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, str):
            if "\0" in value:
                raise MalformedError("holds the character zero (\\u0000), which no text has")
            if any("\ud800" <= character <= "\udfff" for character in value):
                raise MalformedError("holds half of a character (a lone surrogate)")

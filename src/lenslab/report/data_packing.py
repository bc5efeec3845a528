"""Packing: tables as columns of numbers, in one compressed text that a page can carry.

The packed bytes are a little-endian 32-bit length, so many bytes of JSON (the header), and then the columns one after
the other, each beginning at a multiple of eight bytes. They are compressed with gzip and written in base64, so no name
that a record holds can be read as HTML.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

ALIGNMENT = 8


@dataclass
class DataPack:
    """Tables and bytes on their way into a page.

    Attributes:
        header: What the page reads first: ``tables`` says where each column lies; anything else is the caller's.
    """

    header: dict[str, Any] = field(default_factory=lambda: {"tables": {}})
    _pieces: list[bytes] = field(default_factory=list)
    _length: int = 0

    def table(self, name: str, frame: pd.DataFrame) -> None:
        """Add a table. Text becomes numbers into a list of a column's values; columns of other types are left out."""
        columns = {}
        for column in frame.columns:
            held = frame[column]
            if held.dtype.kind in "biuf":
                columns[str(column)] = self._column(typed_numbers(held.to_numpy()))
            elif all(isinstance(value, str) for value in held):
                codes, values = held.factorize()
                columns[str(column)] = {**self._column(codes.astype("<i4")), "values": [str(value) for value in values]}
        self.header["tables"][name] = {"rows": len(frame), "columns": columns}

    def raw(self, name: str, content: bytes) -> None:
        """Add bytes as they are, as a table of one column ``bytes``."""
        column = self._column(np.frombuffer(content, np.uint8))
        self.header["tables"][name] = {"rows": len(content), "columns": {"bytes": column}}

    def text(self) -> str:
        """Give everything in base64; equal contents give equal texts."""
        head = json.dumps(self.header, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        head += b" " * (-(4 + len(head)) % ALIGNMENT)
        packed = b"".join([len(head).to_bytes(4, "little"), head, *self._pieces])
        return base64.b64encode(gzip.compress(packed, compresslevel=9, mtime=0)).decode()

    def _column(self, values: NDArray[Any]) -> dict[str, Any]:
        content = values.tobytes()
        place = {"type": values.dtype.str.lstrip("<|"), "offset": self._length, "length": len(values)}
        padding = -len(content) % ALIGNMENT
        self._pieces.append(content + bytes(padding))
        self._length += len(content) + padding
        return place


def typed_numbers(values: NDArray[Any]) -> NDArray[Any]:
    """Convert numbers without loss to a type that JavaScript's typed arrays have.

    ``uint8`` for truth values, ``int32`` for integers within its range, ``float32`` where that is what they were, else
    ``float64``.

    Example:
        >>> [typed_numbers(np.array(each)).dtype.str for each in ([True], [7], [2**40], [0.5])]
        ['|u1', '<i4', '<f8', '<f8']
    """
    if values.dtype.kind == "b":
        return values.astype("|u1")
    if values.dtype.kind in "iu":
        fits = len(values) == 0 or (values.min() >= -(2**31) and values.max() < 2**31)
        return values.astype("<i4" if fits else "<f8")
    return values.astype("<f4" if values.dtype.itemsize == 4 else "<f8")


def unpacked(text: str) -> tuple[dict[str, Any], Mapping[str, Mapping[str, NDArray[Any]]]]:
    """Read back what `DataPack.text` wrote, as the page does.

    Returns:
        The header, and the columns by table and name; a column of text holds numbers into its ``values``.

    Example:
        >>> import pandas as pd
        >>> pack = DataPack()
        >>> pack.table("units", pd.DataFrame({"site": ["a", "b", "a"], "unit": [0, 0, 1]}))
        >>> header, tables = unpacked(pack.text())
        >>> header["tables"]["units"]["columns"]["site"]["values"], tables["units"]["site"].tolist()
        (['a', 'b'], [0, 1, 0])
    """
    packed = gzip.decompress(base64.b64decode(text))
    start = 4 + int.from_bytes(packed[:4], "little")
    header = json.loads(packed[4:start])
    tables = {
        name: {
            column: np.frombuffer(packed, f"<{place['type']}", place["length"], start + place["offset"])
            for column, place in table["columns"].items()
        }
        for name, table in header["tables"].items()
    }
    return header, tables

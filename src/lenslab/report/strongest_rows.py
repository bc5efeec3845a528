"""The strongest rows of each unit: as many as a page has room for, of tables that come a site at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class StrongestRows:
    """All rows while they are few enough, else the strongest ones of each unit, which the column ``row`` names.

    Never more than ``rows`` of them and those of one site are held.

    Attributes:
        units: How many units there are in all sites.
        rows: How many rows there may be; each unit keeps one, however many units there are.
        most: How many rows each unit has at most; None while nothing was left out.

    Example:
        >>> import pandas as pd
        >>> kept = StrongestRows(units=2, rows=3)
        >>> kept.add(pd.DataFrame({"row": [0, 0, 0], "drop": [0.1, 0.3, 0.2]}), np.array([0.1, 0.3, 0.2]))
        >>> kept.add(pd.DataFrame({"row": [1], "drop": [0.0]}), np.array([0.0]))
        >>> kept.table()["drop"].tolist(), kept.most
        ([0.3, 0.0], 1)
    """

    units: int
    rows: int
    most: int | None = None
    _parts: list[tuple[pd.DataFrame, NDArray[Any]]] = field(default_factory=list)
    _held: int = 0

    def add(self, table: pd.DataFrame, strength: NDArray[Any]) -> None:
        """Add the rows of units that have none yet; of equally strong ones the first are kept."""
        part = (table, strength)
        self._held += len(table)
        if self.most is None and self._held > self.rows:
            self.most = max(1, self.rows // max(self.units, 1))
            self._parts = [_strongest(*each, self.most) for each in self._parts]
        self._parts.append(part if self.most is None else _strongest(*part, self.most))

    def table(self) -> pd.DataFrame:
        """Give the rows that were kept, by unit."""
        import pandas as pd

        whole = pd.concat([table for table, _ in self._parts], ignore_index=True)
        return whole.sort_values("row", kind="stable", ignore_index=True)


def _strongest(table: pd.DataFrame, strength: NDArray[Any], most: int) -> tuple[pd.DataFrame, NDArray[Any]]:
    order = np.argsort(-strength, kind="stable")
    rows = table["row"].iloc[order]
    kept = order[rows.groupby(rows, sort=False).cumcount().to_numpy() < most]
    return table.iloc[kept], strength[kept]

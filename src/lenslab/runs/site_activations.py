"""Activations of a site: one column of a run's table of activations, read a stretch of images at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lenslab.records import BrokenRecordError


def site_activations(path: Path, site: str) -> NDArray[np.float32]:
    """Read the spatial mean of each unit of a site on each image, ``[images, units]``, of ``activations.parquet``.

    Raises:
        BrokenRecordError: The file cannot be read, has no such site, or not as many values for each image.

    Example:
        >>> import tempfile
        >>> import pyarrow as pa, pyarrow.parquet as pq
        >>> with tempfile.TemporaryDirectory() as place:
        ...     path = Path(place) / "activations.parquet"
        ...     pq.write_table(pa.table({"image": [0, 1], "relu": [[0.5, 1.0], [2.0, 0.0]]}), path)
        ...     site_activations(path, "relu").tolist()
        [[0.5, 1.0], [2.0, 0.0]]
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            if site not in file.schema_arrow.names:
                raise BrokenRecordError(f"{path} holds no activations of a site {site!r}; measure it again")
            images, found, first = file.metadata.num_rows, None, 0
            for batch in file.iter_batches(1024, columns=[site]):
                rows = batch.column(0).flatten().to_numpy(zero_copy_only=False).reshape(len(batch), -1)
                if found is None:
                    found = np.empty((images, rows.shape[1]), dtype=np.float32)
                found[first : first + len(rows)] = rows
                first += len(rows)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BrokenRecordError(f"{path} cannot be read as a table of activations: {error}") from error
    return np.empty((0, 0), dtype=np.float32) if found is None else found

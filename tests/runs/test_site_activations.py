import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lenslab.records import BrokenRecordError
from lenslab.runs.site_activations import site_activations


def written(path, *, group=700, images=3000, units=5):
    values = np.random.default_rng(0).random((images, units), dtype=np.float32)
    column = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), units)
    other = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(2 * images, np.float32)), 2)
    pq.write_table(pa.table({"image": range(images), "relu": column, "relu.late": other}), path, row_group_size=group)
    return values


@pytest.mark.parametrize("group", [100, 700, 5000])
def test_the_activations_are_those_that_were_written_however_they_were_cut(tmp_path, group):
    path = tmp_path / "activations.parquet"
    values = written(path, group=group)
    found = site_activations(path, "relu")
    assert found.dtype == np.float32
    assert (found == values).all()
    assert site_activations(path, "relu.late").shape == (3000, 2)


def test_a_site_that_is_not_there_and_a_damaged_file_are_refused(tmp_path):
    path = tmp_path / "activations.parquet"
    written(path)
    with pytest.raises(BrokenRecordError, match="holds no activations of a site 'relu9'"):
        site_activations(path, "relu9")
    pq.write_table(pa.table({"relu": [[1.0, 2.0], [3.0]]}), path)
    with pytest.raises(BrokenRecordError, match="cannot be read as a table of activations"):
        site_activations(path, "relu")
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(BrokenRecordError, match="cannot be read as a table of activations"):
        site_activations(path, "relu")

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lenslab.runs.statistics.distinct_cells import distinct_cells


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 2), st.sampled_from([0.0, -0.0, 1 / 3])), max_size=30))
def test_every_cell_is_found_again_in_its_combination_and_none_is_there_twice(cells):
    parts = [np.array([cell[place] for cell in cells], float) for place in range(3)]
    found, place = distinct_cells(*parts)
    for part, values in zip(parts, found, strict=True):
        assert (values[place] == part).all()
    assert len({*zip(*(values.tolist() for values in found), strict=True)}) == len(found[0])
    assert set(place.tolist()) == set(range(len(found[0])))

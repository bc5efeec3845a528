import pytest

from lenslab.library import shipped


@pytest.fixture
def load(request):
    """Loads the library that comes with the package into the database in memory."""
    request.getfixturevalue("db")

    def loaded():
        for data in shipped.shipped_data():
            shipped.load(data)

    return loaded


@pytest.fixture
def library(load):
    """The library that comes with the package, in memory."""
    load()

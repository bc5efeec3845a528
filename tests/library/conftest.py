import os
import subprocess
import sys
import uuid
from urllib.parse import quote

import pytest
from django.db import connection

from lenslab.library.intake import shipped_library


@pytest.fixture
def load(request):
    """Loads the library that comes with the package into the database in memory."""
    request.getfixturevalue("db")

    def loaded():
        for data in shipped_library.shipped_data():
            shipped_library.load(data)

    return loaded


@pytest.fixture
def library(load):
    """The library that comes with the package, in memory."""
    load()


@pytest.fixture
def place(tmp_path):
    """The address of an empty database of its own, for processes of their own; of the kind that the tests run on."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{tmp_path / 'library.sqlite3'}"
        return
    import psycopg

    name = f"own_{uuid.uuid4().hex}"
    own = connection.settings_dict

    def tell(statement):
        with psycopg.connect(host=own["HOST"], user=own["USER"], dbname="postgres", autocommit=True) as server:
            server.execute(statement)

    tell(f"CREATE DATABASE {name}")
    yield f"postgresql://{own['USER']}@{quote(own['HOST'], safe='')}/{name}"
    tell(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def elsewhere(place, tmp_path):
    """Starts Python on the database of its own; ``wait`` gives what it printed."""

    def start(code, *arguments):
        environment = {**os.environ, "DATABASE_URL": place, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "error"}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        return subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def wait(*processes):
        said = []
        for process in processes:
            output, errors = process.communicate(timeout=120)
            assert process.returncode == 0, errors
            said.append(output)
        return said

    start.wait = wait
    return start

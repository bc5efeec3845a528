import os
import sqlite3
import subprocess
import sys
import time

import pytest

from lenslab.library import opening, ready
from lenslab.library.errors import LibraryUnavailableError
from lenslab.library.intake import shipped_library
from lenslab.library.models import Work

ASK = "from lenslab.library import ready; ready(); from lenslab.library.models import Work; print(Work.objects.count())"


REFUSED = """
from lenslab.library import ready
try:
    ready()
except OSError as error:
    print(type(error).__name__, error)
"""


def start(path, code=ASK):
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{path}", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_an_empty_place_becomes_a_full_library_by_itself(tmp_path):
    output, errors = start(tmp_path / "not" / "there" / "library.sqlite3").communicate(timeout=120)
    assert (output, errors) == ("117\n", "")


def test_several_processes_at_once_open_one_library(tmp_path):
    path = tmp_path / "library.sqlite3"
    processes = [start(path) for _ in range(3)]
    answers = [process.communicate(timeout=180) for process in processes]
    assert answers == [("117\n", "")] * 3
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM library_sourcerecord").fetchone() == (122,)
    connection.close()


def test_a_library_that_cannot_be_opened_is_named_with_what_to_do(tmp_path):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "library.sqlite3"
    output, _ = start(path, REFUSED).communicate(timeout=120)
    assert output.startswith("LibraryUnavailableError")
    assert str(path) in output
    assert "DATABASE_URL" in output


def test_a_file_that_is_no_database_is_refused_in_one_message(tmp_path):
    path = tmp_path / "library.sqlite3"
    path.write_text("these are not the tables you are looking for" * 100)
    output, _ = start(path, REFUSED).communicate(timeout=120)
    assert output.startswith("LibraryUnavailableError")
    assert path.read_text().startswith("these are not")


@pytest.mark.django_db
def test_the_second_time_nothing_is_written_and_little_is_asked(django_assert_max_num_queries):
    ready()
    assert Work.objects.count() == 117
    started = time.perf_counter()
    with django_assert_max_num_queries(6) as asked:
        ready()
    assert not any(
        query["sql"].startswith(("INSERT", "UPDATE", "DELETE", "CREATE")) for query in asked.captured_queries
    )
    assert time.perf_counter() - started < 2


@pytest.mark.django_db
def test_a_changed_shipped_file_is_loaded_on_the_next_opening(monkeypatch):
    ready()
    (data,) = shipped_library.shipped_data()
    renamed = shipped_library.DataFile(data.name, data.content.replace(b"Aspis: Lightweight", b"Aspis: Renamed"))
    monkeypatch.setattr(shipped_library, "shipped_data", lambda: [renamed])
    ready()
    assert Work.objects.filter(title__startswith="Aspis: Renamed").count() == 1


@pytest.mark.django_db
def test_a_password_is_not_part_of_the_message(monkeypatch):
    monkeypatch.setitem(opening.connection.settings_dict, "PASSWORD", "secret")

    def fail():
        raise PermissionError("no")

    monkeypatch.setattr(opening, "_connect", fail)
    with pytest.raises(LibraryUnavailableError) as caught:
        ready()
    assert "secret" not in str(caught.value)

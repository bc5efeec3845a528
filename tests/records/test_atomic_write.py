"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from lenslab.records import atomic_write


def test_what_was_there_stays_where_the_new_text_cannot_be_finished(tmp_path: Path) -> None:
    place = tmp_path / "notes.txt"
    atomic_write.write_text(place, "before")
    with pytest.raises(UnicodeEncodeError):
        atomic_write.write_text(place, "after \ud800")
    assert place.read_text("utf-8") == "before"
    assert list(tmp_path.iterdir()) == [place]


def test_ends_of_lines_stay_as_they_are(tmp_path: Path) -> None:
    place = atomic_write.write_text(tmp_path / "list.ris", "TY  - JOUR\r\nER  - \r\n")
    assert place.read_bytes() == b"TY  - JOUR\r\nER  - \r\n"


def test_where_a_link_leads_is_written_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "notes.txt"
    link.symlink_to(tmp_path / "elsewhere" / "notes.txt")
    atomic_write.write_text(link, "followed")
    assert link.is_symlink()
    assert (tmp_path / "elsewhere" / "notes.txt").read_text("utf-8") == "followed"


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text("utf-8")))
    reader.start()
    atomic_write.write_text(pipe, "through")
    reader.join()
    assert read == ["through"]
    assert pipe.is_fifo()

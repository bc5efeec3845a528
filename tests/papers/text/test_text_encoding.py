import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.papers.errors import FileError, MalformedError
from lenslab.papers.text import text_encoding
from lenslab.papers.text.text_encoding import decoded, read_text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_file_is_read_in_whichever_encoding_it_was_written(tmp_path, encoding):
    path = tmp_path / "file"
    path.write_bytes("Gödel “units” – é\r\nb\rc".encode(encoding))
    assert read_text(path) == "Gödel “units” – é\nb\nc"


@given(st.binary(max_size=40))
def test_any_bytes_are_text_that_can_be_written_again(content):
    assert "\r" not in decoded(content)
    decoded(content).encode()


def test_what_cannot_be_read_is_named(tmp_path):
    for path, reason in [(tmp_path, "is a folder"), (tmp_path / "no", "there is no file"), ("a\0b", "cannot be read")]:
        with pytest.raises(FileError, match=reason):
            read_text(path)


def test_what_is_no_text_or_too_much_of_it_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"@misc{a,\0}")
    with pytest.raises(MalformedError, match="is no text"):
        read_text(path)
    monkeypatch.setattr(text_encoding, "LARGEST", 4)
    with pytest.raises(MalformedError, match="divide it"):
        read_text(path)

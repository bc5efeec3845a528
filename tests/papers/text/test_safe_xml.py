import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.papers.errors import MalformedError
from lenslab.papers.text.safe_xml import element, raw, text

TEXT = st.text(st.characters(exclude_categories=["C"]), max_size=20)


@given(words=st.lists(TEXT, max_size=5), attribute=TEXT)
def test_a_part_that_is_written_out_is_read_as_it_was(words, attribute):
    root = element(b'<a xmlns="http://a.org/" xmlns:b="http://b.org/"><b:part x="">one<c/>two</b:part>tail</a>')
    part = root[0]
    part.set("x", attribute)
    part.text = " ".join(words)
    again = element(raw(part))
    assert (again.tag, again.get("x"), again.text or "") == ("{http://b.org/}part", attribute, part.text)
    assert part.tail == "tail"
    assert again.tail is None
    assert text(root, "{http://b.org/}part") == " ".join(part.text.split())


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "document type"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "document type"),
        (b"<a>&unknown;</a>", "no whole XML"),
        (b"<a>", "no whole XML"),
        (b"<a>\x00</a>", "no whole XML"),
        (b"<a>\xff\xfe</a>", "no whole XML"),
        (b"", "no whole XML"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "no XML|no whole XML"),
    ],
)
def test_what_is_no_harmless_xml_is_refused(document, reason):
    with pytest.raises(MalformedError, match=reason):
        element(document)


NESTED = """
from lenslab.papers.errors import MalformedError
from lenslab.papers.text.safe_xml import element, raw
root = element(b"<a>" * 200_000 + b"</a>" * 200_000)
try:
    raw(root)
except MalformedError as error:
    print(error)
"""


def test_elements_that_are_nested_without_end_bring_nothing_down():
    # In a process of its own, because what goes wrong here ends one.
    done = subprocess.run([sys.executable, "-c", NESTED], capture_output=True, text=True, check=True)
    assert done.stdout == "its elements are nested too deeply\n"

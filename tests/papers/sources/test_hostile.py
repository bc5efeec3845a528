"""Whatever a source sends, it is read or refused."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenslab.papers.errors import MalformedError
from lenslab.papers.sources import arxiv_api, arxiv_oai, openalex, semantic_scholar
from tests.papers.sources.test_arxiv_api import RECORDED as ENTRY
from tests.papers.sources.test_arxiv_oai import RECORDED as RECORD

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
_OF_A_PAPER = "paperId corpusId externalIds title abstract venue year citationCount journal authors tldr"
_OF_A_WORK = (
    "id doi title display_name publication_year ids authorships primary_location locations biblio cited_by_count "
    "referenced_works referenced_works_count abstract_inverted_index"
)
NAMES = {semantic_scholar: _OF_A_PAPER.split(), openalex: _OF_A_WORK.split()}
WITHIN = ["DOI", "ArXiv", "CorpusId", "name", "text", "author", "display_name", "landing_page_url", "source", "volume"]
OBJECTS = st.dictionaries(st.sampled_from(WITHIN), VALUES)
ODD = VALUES | OBJECTS | st.lists(OBJECTS)
IDS = st.sampled_from(["W1", "https://openalex.org/W2", "a" * 40])


@settings(max_examples=30)
@pytest.mark.parametrize("module", list(NAMES), ids=lambda module: module.NAME)
@given(data=st.data())
def test_json_of_any_shape_is_read_or_refused(module, data):
    fields = data.draw(st.dictionaries(st.sampled_from(NAMES[module]), ODD, max_size=8))
    fields[NAMES[module][0]] = data.draw(IDS | VALUES)
    raw = json.dumps(fields).encode()
    try:
        found = module.parse(raw)
    except MalformedError:
        return
    assert module.parse(found.raw) == found
    for written in (found.locator, found.paper.title, found.paper.abstract, found.paper.doi, *found.paper.authors):
        assert isinstance(written, str)
        assert "\x00" not in written
        written.encode()


@settings(max_examples=60)
@pytest.mark.parametrize(("parse", "raw"), [(arxiv_api.parse, ENTRY), (arxiv_oai.parse, RECORD)])
@given(data=st.data())
def test_xml_that_is_cut_or_changed_anywhere_is_read_or_refused(parse, raw, data):
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, min(len(raw), start + 80)))
    changed = raw[:start] + data.draw(st.binary(max_size=5)) + raw[end:]
    try:
        found = parse(changed)
    except MalformedError:
        return
    assert parse(found.raw) == found
    assert found.locator

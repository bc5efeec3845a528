"""Answers of sources in the database: told of changes only, whole, and without any key."""

import datetime as dt
import gzip

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lenslab.http.response_cache import CachedResponse, MemoryCache
from lenslab.library import stored_records
from lenslab.library.intake.database_cache import DatabaseCache
from lenslab.library.models import Payload
from lenslab.papers.sources import arxiv_oai, openalex, semantic_scholar
from tests.upstream.corpus import corpus
from tests.upstream.faults import Fault, Faults
from tests.upstream.server import Upstream
from tests.upstream.visitor import visiting

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 11, 1, 12, 30, 15, 250_000, tzinfo=dt.UTC)
SMALL = corpus(citations=12, references=4, seed=7)

header = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)
answers = st.builds(
    CachedResponse,
    url=st.sampled_from(["https://a.example/1", "https://a.example/2"]),
    content=st.binary(max_size=200),
    retrieved=st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2100, 1, 1), timezones=st.just(dt.UTC)),
    media_type=header,
    etag=header,
    last_modified=header,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(answers, max_size=5))
def test_it_finds_what_an_archive_in_memory_finds(kept):
    Payload.objects.all().delete()
    own, other = DatabaseCache(), MemoryCache()
    for answer in kept:
        own.keep(answer)
        other.keep(answer)
    for url in ("https://a.example/1", "https://a.example/2", "https://a.example/3"):
        assert own.find(url) == other.find(url)
    assert Payload.objects.count() == len({answer.url for answer in kept})


def test_the_newest_answer_stands_in_the_place_of_the_earlier_one():
    archive = DatabaseCache()
    for content in (b"first", b"second"):
        archive.keep(CachedResponse(url="https://a.example", content=content, retrieved=NOW))
    assert archive.find("https://a.example").content == b"second"
    assert bytes(Payload.objects.get().sha256) == stored_records.digest(b"second")


def test_a_source_is_asked_for_changes_only_and_a_304_gives_what_was_kept(tmp_path):
    told = []
    with Upstream(SMALL) as server:
        for _ in range(2):
            with visiting(server, tmp_path, cache=DatabaseCache()) as visitor:
                told.append(semantic_scholar.paper(visitor.fetcher, SMALL.paper.arxiv))
                before = Payload.objects.get()
        assert told[0] == told[1]
    assert before.etag
    assert server.log[1].headers["If-None-Match"] == before.etag


def test_a_304_moves_the_time_at_which_it_was_last_true(tmp_path):
    with Upstream(SMALL) as server, visiting(server, tmp_path, cache=DatabaseCache()) as visitor:
        arxiv_oai.record(visitor.fetcher, SMALL.paper.arxiv)
        first = Payload.objects.get()
        visitor.now[0] += 3600
        arxiv_oai.record(visitor.fetcher, SMALL.paper.arxiv)
        second = Payload.objects.get()
    assert (second.retrieved - first.retrieved).total_seconds() >= 3600
    assert (second.pk, second.sha256) == (first.pk, first.sha256)


def test_no_key_stands_in_what_is_kept_even_where_the_source_repeats_it(tmp_path):
    keys = {"S2_API_KEY": "sesame-open", "OPENALEX_API_KEY": "sesame-open"}
    faults = Faults({"Semantic Scholar": {1: Fault.FORBIDDEN}})
    with (
        Upstream(SMALL, faults=faults) as server,
        visiting(server, tmp_path, cache=DatabaseCache(), environment=keys) as visitor,
    ):
        semantic_scholar.paper(visitor.fetcher, SMALL.paper.arxiv)
        openalex.work(visitor.fetcher, SMALL.paper.arxiv)
        with pytest.raises(Exception, match="Semantic Scholar refuses") as refused:
            semantic_scholar.paper(visitor.fetcher, SMALL.paper.s2)
        sent = f"{[(asked.target, asked.headers) for asked in server.log]}"
    assert "sesame-open" in sent, "the services were asked with the key"
    assert "sesame" not in str(refused.value)
    assert Payload.objects.count() == 2
    for row in Payload.objects.all():
        content = stored_records.unpack(row.content)
        assert b"sesame" not in content
        assert "sesame" not in f"{row.url} {row.etag} {row.last_modified} {row.media_type}"


def test_a_tag_that_is_too_long_is_forgotten_and_not_cut():
    archive = DatabaseCache()
    archive.keep(CachedResponse(url="u", content=b"", retrieved=NOW, etag=f'"{"e" * 400}"', last_modified="x" * 200))
    found = archive.find("u")
    assert (found.etag, found.last_modified) == ("", "")


def test_content_that_is_compressed_already_stays_as_it_is():
    content = gzip.compress(b"units")
    DatabaseCache().keep(CachedResponse(url="u", content=content, retrieved=NOW))
    assert DatabaseCache().find("u").content == content


def test_an_answer_that_is_too_large_to_be_read_again_is_not_kept(monkeypatch):
    monkeypatch.setattr(stored_records, "LARGEST_CONTENT", 1000)
    archive = DatabaseCache()
    archive.keep(CachedResponse(url="u", content=b"small", retrieved=NOW, etag='"1"'))
    archive.keep(CachedResponse(url="u", content=bytes(1001), retrieved=NOW, etag='"2"'))
    assert archive.find("u") is None, "an older answer is not what the source says today"


def test_an_answer_that_was_damaged_is_asked_for_anew(tmp_path):
    with Upstream(SMALL) as server, visiting(server, tmp_path, cache=DatabaseCache()) as visitor:
        told = semantic_scholar.paper(visitor.fetcher, SMALL.paper.arxiv)
        Payload.objects.update(content=b"damaged")
        assert semantic_scholar.paper(visitor.fetcher, SMALL.paper.arxiv) == told
        assert not any("If-None-Match" in asked.headers for asked in server.log)

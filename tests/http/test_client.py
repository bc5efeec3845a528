import itertools
import json
import logging
import os
import re
import subprocess
import sys
from dataclasses import replace

import pytest

from lenslab.http.client import HttpClient
from lenslab.http.errors import NotFoundError, RefusedError, UnavailableError
from lenslab.http.rate_limit import Rate
from lenslab.http.response_cache import MemoryCache
from lenslab.http.service import Service
from tests.upstream import Fault, Faults, Upstream, corpus
from tests.upstream.faults import PASSING
from tests.upstream.visitor import visiting

ARXIV = Service(
    name="arXiv API",
    url="https://export.arxiv.org/api/query",
    variable="LENSLAB_ARXIV_API_URL",
    rate=Rate("arXiv", 3.0),
    throttling=frozenset({406}),
    pause=10.0,
)
SEMANTIC_SCHOLAR = Service(
    name="Semantic Scholar",
    url="https://api.semanticscholar.org/graph/v1",
    variable="LENSLAB_SEMANTIC_SCHOLAR_URL",
    rate=Rate("Semantic Scholar", 1.0),
    key_variable="S2_API_KEY",
    key_header="x-api-key",
)
OPENALEX = Service(
    name="OpenAlex",
    url="https://api.openalex.org",
    variable="LENSLAB_OPENALEX_URL",
    rate=Rate("OpenAlex", 0.1),
    key_variable="OPENALEX_API_KEY",
    key_parameter="api_key",
)
SMALL = corpus(citations=30, references=5)
SECRET = "s3cr3t-k3y-0815"


def read_json(content):
    try:
        return json.loads(content)
    except ValueError as error:
        raise ValueError(f"no JSON: {error}") from None


def paper(fetcher, name=None, service=SEMANTIC_SCHOLAR):
    return fetcher.get(service, f"/paper/{name or SMALL.paper.s2}", {}, read_json, subject=f"paper {name or 'seed'}")


def faulty(*faults):
    return Faults({"Semantic Scholar": dict(enumerate(faults))})


@pytest.mark.parametrize("fault", [*PASSING, Fault.RATE_EXCEEDED])
def test_what_passes_is_asked_again_until_it_has_passed(tmp_path, fault):
    with Upstream(SMALL, faults=faulty(fault, fault)) as server, visiting(server, tmp_path) as visitor:
        assert paper(visitor.fetcher)["title"] == SMALL.paper.title
        assert len(server.log) == (1 if fault is Fault.SLOW else 3)


def test_a_web_page_is_no_answer_even_to_whoever_reads_anything(tmp_path):
    with Upstream(SMALL, faults=faulty(Fault.WEB_PAGE)) as server, visiting(server, tmp_path) as visitor:
        found = visitor.fetcher.get(SEMANTIC_SCHOLAR, f"/paper/{SMALL.paper.s2}", {}, bytes, subject="a paper")
        assert found.startswith(b"{")


def test_406_is_throttling_where_the_service_says_so_and_a_refusal_elsewhere(tmp_path):
    faults = Faults({"arXiv API": {0: Fault.NOT_ACCEPTABLE}, "Semantic Scholar": {0: Fault.NOT_ACCEPTABLE}})
    with Upstream(SMALL, faults=faults) as server, visiting(server, tmp_path) as visitor:
        assert visitor.fetcher.get(ARXIV, "", {"id_list": "1806.02891"}, bytes, subject="a paper").startswith(b"<?xml")
        assert any("asked too often" in line and "Rate exceeded." in line for line in visitor.told)
        with pytest.raises(RefusedError, match="406"):
            paper(visitor.fetcher)


def test_after_the_last_try_the_message_says_who_what_and_that_the_command_goes_on(tmp_path):
    with (
        Upstream(SMALL, faults=Faults(always={"Semantic Scholar": Fault.UNAVAILABLE})) as server,
        visiting(server, tmp_path, attempts=4) as visitor,
    ):
        with pytest.raises(
            UnavailableError, match=r"Semantic Scholar does not answer .* paper seed: it answered 503.*again"
        ):
            paper(visitor.fetcher)
        assert len(server.log) == 4
        # A pause is told once, with its reason.
        assert [line[:52] for line in visitor.told] == ["Semantic Scholar: it answered 503: upstream fault; t"] * 3


def test_pauses_double_and_are_kept_by_everybody(tmp_path):
    with (
        Upstream(SMALL, faults=Faults(always={"Semantic Scholar": Fault.UNAVAILABLE})) as server,
        visiting(server, tmp_path, attempts=4) as visitor,
    ):
        with pytest.raises(UnavailableError):
            paper(visitor.fetcher)
        assert len(visitor.waits) == 3
        for wait, least in zip(visitor.waits, (2, 4, 8), strict=True):
            assert least <= wait <= 1.25 * least + 1e-5
        begun = visitor.now[0]
        with visiting(server, tmp_path) as other:
            other.now[0] = begun
            with pytest.raises(UnavailableError):
                paper(other.fetcher)
        assert other.waits[0] >= 16 - 1e-5


def test_a_source_that_asks_for_hours_is_given_up_at_once_and_left_alone(tmp_path):
    faults = faulty(Fault.THROTTLED_LONG)
    with Upstream(SMALL, faults=faults) as server, visiting(server, tmp_path) as visitor:
        with pytest.raises(UnavailableError, match=r"asks for a pause of 2 h .* goes on from here"):
            paper(visitor.fetcher)
        with pytest.raises(UnavailableError, match=r"not to be asked for another 7\d\d\d s"):
            paper(visitor.fetcher)
        assert len(server.log) == 1


@pytest.mark.parametrize("status", [Fault.FORBIDDEN])
def test_a_refusal_is_not_asked_again(tmp_path, status):
    with Upstream(SMALL, faults=faulty(status)) as server, visiting(server, tmp_path) as visitor:
        with pytest.raises(RefusedError, match=r"403: Forbidden\); it may want a key in S2_API_KEY"):
            paper(visitor.fetcher)
        assert len(server.log) == 1


def test_what_the_service_does_not_know_is_not_asked_again(tmp_path):
    with Upstream(SMALL) as server, visiting(server, tmp_path) as visitor:
        with pytest.raises(NotFoundError, match=r"Semantic Scholar knows no paper nobody \(404: Paper with id nobody"):
            paper(visitor.fetcher, "nobody")
        assert len(server.log) == 1


def test_what_the_service_refuses_is_named_in_its_words(tmp_path):
    with Upstream(SMALL) as server, visiting(server, tmp_path) as visitor:
        with pytest.raises(RefusedError, match=r"400: Unrecognized or unsupported fields: \[height\]") as refusal:
            visitor.fetcher.get(SEMANTIC_SCHOLAR, "/paper/x", {"fields": "height"}, read_json, subject="x")
        assert refusal.value.status == 400


def test_a_status_that_the_caller_calls_final_is_not_asked_again(tmp_path):
    with Upstream(SMALL, faults=faulty(Fault.GATEWAY_TIMEOUT)) as server, visiting(server, tmp_path) as visitor:
        with pytest.raises(RefusedError) as refusal:
            visitor.fetcher.get(SEMANTIC_SCHOLAR, "/paper/x", {}, read_json, subject="x", final={504})
        assert refusal.value.status == 504
        assert len(server.log) == 1


def test_a_gzip_that_grows_beyond_measure_is_refused(tmp_path):
    small = replace(SEMANTIC_SCHOLAR, largest=1 << 20)
    with (
        Upstream(SMALL, faults=Faults(always={"Semantic Scholar": Fault.BOMB})) as server,
        visiting(server, tmp_path, attempts=2) as visitor,
        pytest.raises(UnavailableError, match="longer than 1,048,576 bytes when decompressed"),
    ):
        paper(visitor.fetcher, service=small)


def test_a_body_that_drips_in_for_ever_is_given_up(tmp_path):
    hasty = replace(SEMANTIC_SCHOLAR, seconds=0.1)
    with (
        Upstream(SMALL, faults=Faults(always={"Semantic Scholar": Fault.ENDLESS})) as server,
        visiting(server, tmp_path, attempts=2) as visitor,
        pytest.raises(UnavailableError, match=r"its body has not come in 0\.1 s \(asked 2 times\)"),
    ):
        paper(visitor.fetcher, service=hasty)


def test_nobody_is_asked_whom_the_service_does_not_own(tmp_path):
    with Upstream(SMALL, faults=faulty(Fault.ELSEWHERE)) as server, visiting(server, tmp_path) as visitor:
        with pytest.raises(RefusedError, match=r"sends the request .* on to '169\.254\.169\.254'"):
            paper(visitor.fetcher)
        assert len(server.log) == 1


def test_a_redirect_to_what_is_no_address_is_refused(tmp_path):
    with Upstream(SMALL, faults=faulty(Fault.NOWHERE)) as server, visiting(server, tmp_path) as visitor:
        with pytest.raises(RefusedError, match="which is not its own"):
            paper(visitor.fetcher)
        assert len(server.log) == 1


def test_a_service_that_cannot_be_reached_is_named(tmp_path):
    with Upstream(SMALL) as server, visiting(server, tmp_path, attempts=2) as visitor:
        server.__exit__()
        with pytest.raises(UnavailableError, match=r"Semantic Scholar does not answer .*no answer came \(ConnectError"):
            paper(visitor.fetcher)
        server.__enter__()


def test_a_tag_that_cannot_be_sent_back_is_not_kept(tmp_path):
    with Upstream(SMALL, faults=faulty(Fault.ODD_TAG)) as server, visiting(server, tmp_path) as visitor:
        assert paper(visitor.fetcher) == paper(visitor.fetcher)
        assert "If-None-Match" not in server.log[1].headers
        assert "If-Modified-Since" not in server.log[1].headers


def test_what_has_not_changed_is_not_sent_again(tmp_path):
    cache = MemoryCache()
    with Upstream(SMALL) as server, visiting(server, tmp_path, cache=cache) as visitor:
        first = paper(visitor.fetcher)
        assert paper(visitor.fetcher) == first
        assert [request.headers.get("If-None-Match") is not None for request in server.log] == [False, True]
        (answers,) = cache.responses.values()
        assert [answer.sha256 for answer in answers] == [answers[0].sha256] * 2
        assert answers[0].retrieved < answers[1].retrieved
        assert answers[0].media_type == "application/json"


def test_an_answer_that_cannot_be_read_is_not_kept_and_a_kept_one_that_cannot_be_is_asked_for_anew(tmp_path):
    cache = MemoryCache()
    with Upstream(SMALL, faults=faulty(Fault.MALFORMED)) as server:
        with visiting(server, tmp_path, cache=cache) as visitor:
            paper(visitor.fetcher)
        (answers,) = cache.responses.values()
        assert len(answers) == 1
        answers[0] = replace(answers[0], content=b"{")
        with visiting(server, tmp_path, cache=cache) as visitor:
            assert paper(visitor.fetcher)["title"] == SMALL.paper.title


@pytest.mark.parametrize("fault", [None, Fault.FORBIDDEN, Fault.RESET, Fault.UNAVAILABLE, Fault.ELSEWHERE])
@pytest.mark.parametrize("service", [SEMANTIC_SCHOLAR, OPENALEX], ids=lambda service: service.name)
def test_a_key_is_sent_and_stands_nowhere_else(tmp_path, caplog, fault, service):
    cache = MemoryCache()
    caplog.set_level(logging.DEBUG)
    path = "/paper/1" if service is SEMANTIC_SCHOLAR else f"/works/{SMALL.paper.openalex}"
    path = f"/paper/{SMALL.paper.s2}" if service is SEMANTIC_SCHOLAR else path
    faults = Faults(always={service.name: fault} if fault else {})
    said = ""
    with (
        Upstream(SMALL, faults=faults) as server,
        visiting(server, tmp_path, cache=cache, attempts=2, environment={service.key_variable: SECRET}) as visitor,
    ):
        try:
            visitor.fetcher.get(service, path, {}, read_json, subject="a work")
        except UnavailableError as error:
            said = f"{error!r} {error.__cause__!r}"
        assert all(SECRET in f"{request.target} {request.headers}" for request in server.log)
        assert server.log
    kept = "".join(f"{answer!r}{answer.content!r}" for answers in cache.responses.values() for answer in answers)
    logged = " ".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    paced = "".join(file.read_text() for file in (tmp_path / "pace").glob("*.json"))
    assert SECRET not in said + kept + "".join(cache.responses) + logged + " ".join(visitor.told) + paced
    assert (fault is None) == bool(kept)


def test_a_key_with_letters_that_no_key_has_is_refused_without_being_shown(tmp_path):
    with Upstream(SMALL) as server, visiting(server, tmp_path, environment={"S2_API_KEY": "a\nb: c"}) as visitor:
        with pytest.raises(UnavailableError, match="S2_API_KEY holds no key") as refusal:
            paper(visitor.fetcher)
        assert "b: c" not in str(refusal.value)
        assert not server.log


def test_a_merged_work_is_followed_to_the_one_it_became_and_takes_two_slots(tmp_path):
    with (
        Upstream(SMALL) as server,
        visiting(server, tmp_path, environment={"OPENALEX_API_KEY": SECRET}) as visitor,
    ):
        name = SMALL.paper.old_openalex[0]
        found = visitor.fetcher.get(OPENALEX, f"/works/{name}", {}, read_json, subject=name)
        assert found["id"].endswith(SMALL.paper.openalex)
        assert [request.status for request in server.log] == [301, 200]
        assert all(request.target.count(SECRET) == 1 for request in server.log)
        assert sum(visitor.waits) == pytest.approx(0.1, abs=1e-5)


def test_the_visitor_introduces_itself(tmp_path):
    with (
        Upstream(SMALL) as server,
        visiting(server, tmp_path, environment={"LENSLAB_CONTACT": "ada@example.org"}) as visitor,
    ):
        paper(visitor.fetcher)
        assert re.fullmatch(r"lenslab/[\d.]+ \(.*mailto:ada@example\.org\)", server.log[0].headers["User-Agent"])


def test_requests_leave_at_the_pace_of_the_mirror_in_real_time():
    with Upstream(SMALL, interval=0.1) as server, HttpClient(environment=server.environment) as fetcher:
        for _ in range(5):
            paper(fetcher)
        times = [request.at for request in server.log]
    # They leave 0.1 s apart; how long each is on its way depends on what else the machine does.
    assert times[-1] - times[0] >= 0.3


ASKING = """
from lenslab.http.client import HttpClient
from lenslab.papers.sources import arxiv_api, arxiv_oai
with HttpClient() as fetcher:
    for _ in range(2):
        arxiv_api.paper(fetcher, "1806.02891")
        arxiv_oai.record(fetcher, "1806.02891")
"""


@pytest.mark.slow
def test_processes_that_ask_feed_and_records_keep_apart_as_the_server_sees_it():
    with Upstream(SMALL, interval=0.15) as server:
        environment = {**os.environ, **server.environment}
        processes = [subprocess.Popen([sys.executable, "-c", ASKING], env=environment) for _ in range(2)]
        assert [process.wait() for process in processes] == [0, 0]
        times = sorted(request.at for request in server.log)
    assert len(times) == 8
    # The server notes a request when its thread runs, which may be some milliseconds late.
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) > 0.13
    assert times[-1] - times[0] > 7 * 0.15 - 0.02

"""OpenAlex, as it behaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from tests.upstream.answers import Answer, as_json

if TYPE_CHECKING:
    from tests.upstream.corpus import Corpus, Entry

MOST_PER_PAGE = 200
MOST_VALUES = 50


def works(corpus: Corpus, path: str, parameters: dict[str, str], base: str, *, empty: bool = False) -> Answer:
    """What GET answers. ``empty`` sends a page without its rows, though more follow."""
    name = path.removeprefix("/works").strip("/")
    if not name:
        return _list(corpus, parameters, empty=empty)
    entry = corpus.by_name.get(name.lower())
    # A preprint that was published stands under the journal's DOI alone.
    if entry is None or (entry.doi and name.lower().startswith("doi:10.48550/")):
        return Answer(404, b"<!doctype html><html><title>404 Not Found</title></html>", "text/html")
    if name.upper() in entry.old_openalex:
        return Answer(301, b"", "text/html", {"Location": f"{base}/works/{entry.openalex}?{urlencode(parameters)}"})
    return as_json(record(corpus, entry, parameters.get("select", "")))


def _list(corpus: Corpus, parameters: dict[str, str], *, empty: bool) -> Answer:
    kind, _, value = parameters.get("filter", "").partition(":")
    per_page = int(parameters.get("per-page", "25"))
    if per_page > MOST_PER_PAGE:
        return as_json({"error": "Invalid query parameters error.", "message": "per-page must be <= 200"}, 403)
    if kind == "openalex":
        if len(value.split("|")) > MOST_VALUES:
            return as_json({"error": "Invalid query parameters error.", "message": "Maximum number of values"}, 403)
        found = [entry for entry in corpus.entries if entry.openalex in value.split("|")]
    elif kind == "cites":
        entry = corpus.by_name[value.lower()]
        found = [corpus.entries[edge.citing] for edge in corpus.citing(entry)]
    else:
        return as_json({"error": "Invalid query parameters error.", "message": f"{kind} is not a valid field"}, 403)
    cursor = parameters.get("cursor", "")
    start = 0 if cursor in ("", "*") else int(cursor.removeprefix("at"))
    shown = found[start : start + per_page]
    following = f"at{start + per_page}" if cursor and shown else None
    meta = {"count": len(found), "page": None, "per_page": per_page, "next_cursor": following}
    rows = [] if empty else [record(corpus, entry, parameters.get("select", "")) for entry in shown]
    return as_json({"meta": meta, "results": rows, "group_by": []})


def record(corpus: Corpus, entry: Entry, select: str) -> dict[str, Any]:
    """A work with the fields that were asked for."""
    address = f"https://openalex.org/{entry.openalex}"
    doi = entry.doi.lower() or (f"10.48550/arxiv.{entry.arxiv}" if entry.arxiv else "")
    cited = [f"https://openalex.org/{corpus.entries[edge.cited].openalex}" for edge in corpus.cited(entry)]
    inverted: dict[str, list[int]] = {}
    for place, word in enumerate((entry.abstract or "").split()):
        # There are gaps, as happens, and one place that two words claim.
        inverted.setdefault(word, []).append(place if place < 3 else place + 1)
    if len(inverted) > 4:
        inverted["again"] = [1]
    landing = f"https://arxiv.org/abs/{entry.arxiv}" if entry.arxiv else f"https://doi.org/{doi}"
    whole = {
        "id": address,
        "doi": f"https://doi.org/{doi}" if doi else None,
        "title": entry.title,
        "display_name": entry.title,
        "publication_year": entry.year,
        "publication_date": f"{entry.submitted:%Y-%m-%d}",
        "ids": {"openalex": address, "mag": str(2_000_000 + entry.number)},
        "authorships": [
            {"author_position": "middle", "author": {"id": None, "display_name": name}, "raw_author_name": name}
            for name in (entry.authors or ())[:100]
        ],
        "primary_location": {"landing_page_url": landing, "source": {"display_name": "Journal of Units"}},
        "locations": [{"landing_page_url": landing, "source": None}, {"landing_page_url": None}],
        "biblio": {
            "volume": entry.volume or None,
            "issue": None,
            "first_page": "1",
            "last_page": "9",
        },
        "cited_by_count": len(corpus.citing(entry)),
        "referenced_works": cited,
        "referenced_works_count": len(cited),
        "abstract_inverted_index": inverted or None,
        "is_retracted": False,
        "type": "article",
    }
    wanted = set(select.split(",")) if select else set(whole)
    return {name: value for name, value in whole.items() if name in wanted}

"""Semantic Scholar's graph, as it behaves."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from tests.upstream.answers import Answer, as_json

if TYPE_CHECKING:
    from tests.upstream.corpus import Corpus, Edge, Entry

_KNOWN = (
    "paperId corpusId externalIds title abstract venue year referenceCount citationCount influentialCitationCount url "
    "publicationDate journal authors tldr references.paperId citations.paperId contexts intents isInfluential"
)
KNOWN = frozenset(_KNOWN.split())
DEEPEST = 10_000
MOST_IN_BATCH = 500
MOST_CITATIONS = 9_999


def graph(corpus: Corpus, path: str, parameters: dict[str, str], *, empty: bool = False) -> Answer:
    """What GET answers. ``empty`` sends a page without its rows, though more follow."""
    fields = parameters.get("fields", "paperId,title").split(",")
    if unknown := [name for name in fields if name not in KNOWN]:
        return as_json({"error": f"Unrecognized or unsupported fields: [{', '.join(unknown)}]"}, 400)
    name = path.removeprefix("/paper/")
    for ending in ("/citations", "/references"):
        if name.endswith(ending):
            entry = _named(corpus, name.removesuffix(ending))
            if entry is None:
                return as_json({"error": f"Paper with id {name.removesuffix(ending)} not found"}, 404)
            return _edges(corpus, entry, ending, parameters, fields, empty=empty)
    entry = _named(corpus, name)
    if entry is None:
        return as_json({"error": f"Paper with id {name} not found"}, 404)
    return as_json(record(corpus, entry, fields))


def batch(corpus: Corpus, parameters: dict[str, str], content: bytes, *, slow_beyond: int) -> Answer:
    """What POST to /paper/batch answers; 504 where it would have to gather more than ``slow_beyond`` references."""
    ids = json.loads(content)["ids"]
    if len(ids) > MOST_IN_BATCH:
        return as_json({"error": f"Too many ids; at most {MOST_IN_BATCH} can be asked for at once"}, 400)
    fields = parameters.get("fields", "paperId,title").split(",")
    entries = [_named(corpus, name) for name in ids]
    nested = sum(len(corpus.cited(entry)) for entry in entries if entry) if "references.paperId" in fields else 0
    if nested > slow_beyond:
        return as_json({"message": "Endpoint request timed out"}, 504)
    left = MOST_CITATIONS
    answer: list[Any] = []
    for entry in entries:
        held = record(corpus, entry, fields) if entry else None
        if held is not None and "references" in held:
            held["references"] = held["references"][:left]
            left -= len(held["references"])
        answer.append(held)
    return as_json(answer)


def _named(corpus: Corpus, name: str) -> Entry | None:
    return corpus.by_name.get(name.lower())


def _edges(
    corpus: Corpus, entry: Entry, ending: str, parameters: dict[str, str], fields: list[str], *, empty: bool
) -> Answer:
    offset, limit = int(parameters.get("offset", "0")), int(parameters.get("limit", "100"))
    if limit > 1000 or offset + limit >= DEEPEST:
        return as_json({"error": "offset + limit must be < 10000, limit <= 1000"}, 400)
    citing = ending == "/citations"
    rows = [_row(corpus, edge, fields, citing=citing) for edge in (corpus.citing if citing else corpus.cited)(entry)]
    if not citing and entry is corpus.paper:
        rows += [_unresolved(title) for title in corpus.unresolved]
    page: dict[str, Any] = {"offset": offset, "data": [] if empty else rows[offset : offset + limit]}
    if offset + limit < len(rows):
        page["next"] = offset + limit
    return as_json(page)


def _row(corpus: Corpus, edge: Edge, fields: list[str], *, citing: bool) -> dict[str, Any]:
    other = corpus.entries[edge.citing if citing else edge.cited]
    return {
        "contexts": [],
        "intents": list(edge.intents) or None,
        "isInfluential": edge.influential,
        "citingPaper" if citing else "citedPaper": record(corpus, other, fields),
    }


def _unresolved(title: str) -> dict[str, Any]:
    held = {"paperId": None, "corpusId": None, "externalIds": None, "title": title, "abstract": None, "year": 1999}
    return {"contexts": [], "intents": [], "isInfluential": False, "citedPaper": {**held, "authors": []}}


def record(corpus: Corpus, entry: Entry, fields: list[str]) -> dict[str, Any]:
    """A paper with the fields that were asked for; ``paperId`` always comes."""
    external: dict[str, Any] = {"CorpusId": entry.corpus_id, "DBLP": f"conf/units/{entry.number}"}
    if entry.arxiv:
        external |= {"ArXiv": entry.arxiv, "DOI": f"10.48550/arXiv.{entry.arxiv}"}
    if entry.doi:
        external["DOI"] = entry.doi
    authors = entry.authors and [
        {"authorId": hashlib.md5(name.encode()).hexdigest()[:8] if place else None, "name": name}
        for place, name in enumerate(entry.authors)
    ]
    # Semantic Scholar counts what it cannot list, too.
    uncounted = corpus.uncounted if entry is corpus.paper else 0
    whole = {
        "paperId": entry.s2,
        "corpusId": entry.corpus_id,
        "externalIds": None if entry.number % 50 == 16 else external,
        "url": f"https://www.semanticscholar.org/paper/{entry.s2}",
        "title": entry.title,
        "abstract": entry.abstract,
        "venue": "arXiv.org" if entry.arxiv and not entry.journal else "Journal of Units",
        "year": entry.year,
        "referenceCount": len(corpus.cited(entry)),
        "citationCount": len(corpus.citing(entry)) + uncounted,
        "influentialCitationCount": sum(edge.influential for edge in corpus.citing(entry)),
        "publicationDate": f"{entry.submitted:%Y-%m-%d}" if entry.year else None,
        "journal": {"name": "Journal of Units", "pages": "1-9", "volume": entry.volume} if entry.journal else None,
        "authors": authors,
        "tldr": {"model": "tldr@v2.0.0", "text": "Units matter."} if entry.number % 2 == 0 else None,
        "references": [{"paperId": corpus.entries[edge.cited].s2} for edge in corpus.cited(entry)]
        + [{"paperId": None} for _ in corpus.unresolved if entry is corpus.paper],
    }
    wanted = {name.partition(".")[0] for name in fields} | {"paperId"}
    return {name: value for name, value in whole.items() if name in wanted}

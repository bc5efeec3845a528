"""Works and citations made by hand, consistent as the library keeps them."""

import datetime as dt
from contextlib import contextmanager

from django.db import transaction

from lenslab.library.graph import citation_edges
from lenslab.library.models import Assertion, Citation, SourceRecord
from lenslab.library.stored_records import pack

NOW = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)


def cite(*pairs, influential=False):
    """Makes citations (citing, cited), with what stands in their rows about the works, and counts them."""
    made = Citation.objects.bulk_create(
        Citation(
            citing=citing,
            cited=cited,
            influential=influential,
            citing_year=citing.year or 0,
            cited_year=cited.year or 0,
            lot=citation_edges.lot(citing.key, cited.key),
        )
        for citing, cited in pairs
    )
    works = {work.pk: work for pair in pairs for work in pair}
    citation_edges.recount(works)
    for work in works.values():
        work.refresh_from_db()
    return made


def assert_citation(citation, source, locator, evidence=""):
    """Lets a source say that a citation is there."""

    def record(work, place, words=""):
        return SourceRecord.objects.create(
            work=work, source=source, locator=place, retrieved=NOW, sha256=b"", content=pack(b"{}"), evidence=words
        )

    return Assertion.objects.create(
        citation=citation,
        source=source,
        citing_record=record(citation.citing, locator, evidence),
        cited_record=record(citation.cited, f"{locator} cited"),
        asserted=NOW,
    )


@contextmanager
def for_this_example():
    """Takes back what an example of Hypothesis has made, so that the next one begins with the same library."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)

"""Keeps as what and where works were published, and what became of them, as their records say it."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

from lenslab.library.intake import field_resolution
from lenslab.library.models import Readable
from lenslab.library.stored_records import parse_record
from lenslab.papers.errors import MalformedError

_SAYING = ("OpenAlex", "Semantic Scholar", "BibTeX", "RIS", "CSL-JSON")
_AT_ONCE = 500


def find(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 - Django's signature
    works, records = (apps.get_model("library", name).objects for name in ("Work", "SourceRecord"))
    told = records.filter(source__in=_SAYING).values_list("work_id", flat=True).order_by("work_id").distinct()
    ids = list(told)
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        descriptions: dict[int, list[Any]] = {pk: [] for pk in some}
        for record in records.filter(work_id__in=some).order_by("pk"):
            try:
                descriptions[record.work_id].append(parse_record(record.source, record.content))
            except MalformedError:
                continue  # it was kept by another version; the work stays as it is
        changed = []
        for work in works.filter(pk__in=some).only("pk", "publication", "standing"):
            if descriptions[work.pk]:
                paper = field_resolution.resolve(descriptions[work.pk])
                work.publication = field_resolution.publication_parts(paper.publication)
                work.standing = paper.standing or None
                changed.append(work)
        works.bulk_update(changed, ["publication", "standing"], batch_size=200)
    withdrawn = [
        pk
        for pk, versions in works.filter(standing=None).values_list("pk", "versions").iterator(chunk_size=2000)
        if versions and "I" in versions[-1].get("source_type", "")
    ]
    for start in range(0, len(withdrawn), _AT_ONCE):
        works.filter(pk__in=withdrawn[start : start + _AT_ONCE]).update(standing="withdrawn")


class Migration(migrations.Migration):
    dependencies = [("library", "0003_hidden_words")]
    operations = [
        migrations.AddField(
            "work",
            "publication",
            models.JSONField(
                null=True,
                blank=True,
                encoder=Readable,
                help_text="the parts of a publication that a source states, by name",
            ),
        ),
        migrations.AddField(
            "work",
            "standing",
            models.CharField(max_length=20, null=True, blank=True, help_text="'retracted' or 'withdrawn'"),
        ),
        migrations.RunPython(find, migrations.RunPython.noop),
    ]

"""Finds words of scripts without spaces, and what pages show in place of LaTeX, in the works of earlier libraries."""

from __future__ import annotations

from typing import Any

from django.db import migrations

from lenslab.library.intake.field_resolution import hidden_words

_AT_ONCE = 2000


def find(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 - Django's signature
    works = apps.get_model("library", "Work").objects
    changed = []
    for work in works.only("pk", "title", "abstract", "authors", "plain").iterator(chunk_size=_AT_ONCE):
        plain = hidden_words(work.title, work.abstract, work.authors)
        if plain != work.plain:
            work.plain = plain
            changed.append(work)
        if len(changed) == _AT_ONCE:
            works.bulk_update(changed, ["plain"], batch_size=200)
            changed = []
    works.bulk_update(changed, ["plain"], batch_size=200)


class Migration(migrations.Migration):
    dependencies = [("library", "0002_what_sources_say")]
    operations = [migrations.RunPython(find, migrations.RunPython.noop)]

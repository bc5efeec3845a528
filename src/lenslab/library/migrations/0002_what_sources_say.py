"""What each source says becomes the ground, works and citations a view on it; and the search index."""

import datetime as dt
import json
from collections import defaultdict
from typing import Any

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

import lenslab.library.models
from lenslab.library.stored_records import digest, pack

# SQLite's full-text index reads the works' own columns (external content), and triggers keep it equal to them.
_COLUMNS = "title, authors, abstract, plain, facets"
_OLD = ", ".join(f"old.{name}" for name in _COLUMNS.split(", "))
_NEW = ", ".join(f"new.{name}" for name in _COLUMNS.split(", "))
_TAKE_OUT = f"INSERT INTO library_search(library_search, rowid, {_COLUMNS}) VALUES ('delete', old.id, {_OLD});"
_PUT_IN = f"INSERT INTO library_search(rowid, {_COLUMNS}) VALUES (new.id, {_NEW});"
_SQLITE = (
    f"""CREATE VIRTUAL TABLE library_search USING fts5(
        {_COLUMNS}, content='library_work', content_rowid='id', tokenize='porter unicode61 remove_diacritics 2')""",
    # A trigger makes the index write after every row. Who inserts thousands pauses it, and indexes them all at once.
    "CREATE TABLE library_search_pause (first bigint NOT NULL)",
    f"""CREATE TRIGGER library_search_insert AFTER INSERT ON library_work
        WHEN NOT EXISTS (SELECT 1 FROM library_search_pause) BEGIN {_PUT_IN} END""",
    f"CREATE TRIGGER library_search_delete AFTER DELETE ON library_work BEGIN {_TAKE_OUT} END",
    f"""CREATE TRIGGER library_search_update AFTER UPDATE OF {_COLUMNS} ON library_work
        BEGIN {_TAKE_OUT} {_PUT_IN} END""",
    "INSERT INTO library_search(library_search) VALUES ('rebuild')",
    "CREATE INDEX library_work_by_citations ON library_work (citation_count DESC, id DESC)",
    "CREATE INDEX library_work_by_date ON library_work (year DESC, submitted DESC, id DESC)",
)
# PostgreSQL's index is a table of its own, which triggers keep equal to the works that are not merged into others. Its
# rows are narrow, so that however many works match, few pages tell how many and which were added last: the filler,
# which is stored compressed, makes each row so long that PostgreSQL moves the words out of line, and leaves them as
# they are read. Facets' words stand behind a sign that no word of a text begins with, together with one that every
# work has and those for the blocks of ids that it is in (lenslab.library.search.postgresql_tsquery). The index's second
# column holds the words of titles. PostgreSQL must not learn how frequent words are: it goes through the index as long
# as it takes them for rare, where for frequent ones it would go through all rows, not knowing that each costs it a walk
# to its words.
_SEARCHED = """setweight(to_tsvector('english', {0}title), 'A') || setweight(to_tsvector('simple', {0}authors), 'B')
    || setweight(to_tsvector('english', {0}abstract), 'C') || setweight(to_tsvector('english', {0}plain), 'D')
    || array_to_tsvector(string_to_array(
        '# #i' || {0}id / 1024 || ' #j' || {0}id / 16384 || ' #' || replace({0}facets, ' ', ' #'), ' '))"""
_POSTGRESQL = (
    """CREATE TABLE library_search (
        id bigint PRIMARY KEY, words tsvector NOT NULL, filler text NOT NULL DEFAULT repeat(' ', 2048)
    ) WITH (toast_tuple_target = 128)""",
    """ALTER TABLE library_search ALTER words SET STORAGE EXTERNAL, ALTER words SET STATISTICS 0,
        ALTER filler SET STORAGE MAIN""",
    f"""INSERT INTO library_search (id, words) SELECT id, {_SEARCHED.format("")} FROM library_work
        WHERE merged_into_id IS NULL""",
    "CREATE INDEX library_search_words ON library_search USING gin (words, ts_filter(words, '{a,d}'))",
    "ALTER INDEX library_search_words ALTER COLUMN 2 SET STATISTICS 0",
    f"""CREATE FUNCTION library_search_follow() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'TRUNCATE' THEN
                TRUNCATE library_search;
                RETURN NULL;
            END IF;
            IF TG_OP <> 'INSERT' THEN
                DELETE FROM library_search WHERE id = OLD.id;
            END IF;
            IF TG_OP <> 'DELETE' THEN
                IF NEW.merged_into_id IS NULL THEN
                    INSERT INTO library_search (id, words) VALUES (NEW.id, {_SEARCHED.format("NEW.")});
                END IF;
            END IF;
            RETURN NULL;
        END $$""",
    """CREATE TRIGGER library_search_insert AFTER INSERT OR DELETE ON library_work
        FOR EACH ROW EXECUTE FUNCTION library_search_follow()""",
    """CREATE TRIGGER library_search_update AFTER UPDATE OF title, authors, abstract, plain, facets, merged_into_id
        ON library_work FOR EACH ROW
        WHEN ((OLD.title, OLD.authors, OLD.abstract, OLD.plain, OLD.facets, OLD.merged_into_id)
            IS DISTINCT FROM (NEW.title, NEW.authors, NEW.abstract, NEW.plain, NEW.facets, NEW.merged_into_id))
        EXECUTE FUNCTION library_search_follow()""",
    """CREATE TRIGGER library_search_truncate AFTER TRUNCATE ON library_work
        FOR EACH STATEMENT EXECUTE FUNCTION library_search_follow()""",
    "CREATE INDEX library_work_by_citations ON library_work (citation_count DESC, id DESC)",
    """CREATE INDEX library_work_by_date ON library_work
        (year DESC NULLS LAST, submitted DESC NULLS LAST, id DESC)""",
)


# What the earlier tables said, between the two operations of this migration that speak of it.
_earlier: list[tuple[int, str, dict[str, Any]]] = []


def remember(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:  # noqa: ARG001 - Django's signature
    """Reads what the earlier tables say, and makes the next start load the shipped papers again, into the new ones."""
    apps.get_model("library", "ShippedFile").objects.all().delete()
    names = defaultdict(list)
    for work, name in apps.get_model("library", "Author").objects.values_list("work", "name"):
        names[work].append(name)
    _earlier.clear()
    for record in apps.get_model("library", "SourceRecord").objects.select_related("work").order_by("pk"):
        work = record.work
        entry = {
            "locator": record.locator,
            "title": record.title or work.title,
            "authors": names[work.pk],
            "year": record.year or work.year,
            "arxiv_id": work.arxiv_id,
            "doi": work.doi,
            "abstract": work.abstract,
            "categories": work.categories,
            "license_uri": work.license_uri,
            "versions": work.versions,
        }
        _earlier.append((work.pk, record.source[:60], entry))


def keep(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:  # noqa: ARG001 - Django's signature
    """Keeps the earlier records under their names, so that works keep them, and what hangs on works stays in use."""
    works, records = apps.get_model("library", "Work").objects, apps.get_model("library", "SourceRecord").objects
    now = dt.datetime.now(dt.UTC)
    for pk, source, entry in _earlier:
        raw = json.dumps(entry).encode()
        records.create(
            work_id=pk, source=source, locator=entry["locator"], retrieved=now, sha256=digest(raw), content=pack(raw)
        )
        versions = [
            {"number": version["version"], "created": version["created"]} for version in entry["versions"] or ()
        ]
        works.filter(pk=pk).update(authors=entry["authors"], versions=versions)
    _earlier.clear()


def index(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:  # noqa: ARG001 - Django's signature
    """Makes the search index that the database at hand can keep."""
    for statement in _POSTGRESQL if schema_editor.connection.vendor == "postgresql" else _SQLITE:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("library", "0001_initial")]

    operations = [
        migrations.RunPython(remember, migrations.RunPython.noop),
        migrations.DeleteModel(name="Author"),
        migrations.DeleteModel(name="SourceRecord"),
        migrations.DeleteModel(name="Citation"),
        migrations.AlterField(model_name="work", name="doi", field=models.CharField(blank=True, max_length=300)),
        migrations.AlterField(
            model_name="work",
            name="versions",
            field=models.JSONField(blank=True, default=list, help_text="[{number, created, ...}], oldest first"),
        ),
        migrations.AddField(
            model_name="work",
            name="byline",
            field=models.CharField(
                blank=True, help_text="the authors as a reader names them in passing", max_length=200
            ),
        ),
        migrations.AddField(
            model_name="work",
            name="authors",
            field=models.JSONField(
                blank=True,
                default=list,
                encoder=lenslab.library.models.Readable,
                help_text="names in the work's order",
            ),
        ),
        migrations.AlterField(
            model_name="work", name="license_uri", field=models.CharField(blank=True, max_length=300)
        ),
        migrations.AddField(model_name="work", name="report_number", field=models.TextField(blank=True)),
        migrations.AddField(model_name="work", name="msc_class", field=models.TextField(blank=True)),
        migrations.AddField(model_name="work", name="acm_class", field=models.TextField(blank=True)),
        migrations.AddField(
            model_name="work",
            name="plain",
            field=models.TextField(
                blank=True, editable=False, help_text="words that LaTeX or accents hide from a search"
            ),
        ),
        migrations.AddField(
            model_name="work",
            name="facets",
            field=models.TextField(blank=True, editable=False, help_text="categories, archives and year as words"),
        ),
        migrations.AddField(model_name="work", name="citation_count", field=models.PositiveIntegerField(default=0)),
        migrations.AddField(model_name="work", name="reference_count", field=models.PositiveIntegerField(default=0)),
        migrations.AddField(
            model_name="work", name="title_mark", field=models.BigIntegerField(editable=False, null=True)
        ),
        migrations.AddField(
            model_name="work", name="people_mark", field=models.BigIntegerField(editable=False, null=True)
        ),
        migrations.AddField(
            model_name="work", name="name_mark", field=models.BigIntegerField(editable=False, null=True)
        ),
        migrations.AddField(
            model_name="work",
            name="merged_into",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="absorbed",
                to="library.work",
            ),
        ),
        migrations.CreateModel(
            name="Payload",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("url", models.TextField(unique=True)),
                ("sha256", models.BinaryField(max_length=32)),
                ("content", models.BinaryField(help_text="compressed with Zstandard")),
                ("media_type", models.CharField(blank=True, max_length=200)),
                ("etag", models.CharField(blank=True, max_length=300)),
                ("last_modified", models.CharField(blank=True, max_length=100)),
                ("retrieved", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="SourceRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(help_text="who says it, for instance 'Semantic Scholar'", max_length=60)),
                ("locator", models.CharField(help_text="where in the source: an id, a row, a key", max_length=300)),
                ("retrieved", models.DateTimeField(help_text="when it was read, or last read with other words")),
                ("sha256", models.BinaryField(max_length=32)),
                ("content", models.BinaryField(help_text="the source's own record, compressed with Zstandard")),
                ("evidence", models.TextField(blank=True, help_text="why it was taken for a record of this work")),
            ],
        ),
        migrations.CreateModel(
            name="FileImport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.TextField()),
                ("size", models.BigIntegerField()),
                ("modified", models.BigIntegerField(help_text="nanoseconds, as the file system says")),
                ("line", models.PositiveIntegerField(default=0)),
                ("added", models.PositiveIntegerField(default=0)),
                ("changed", models.PositiveIntegerField(default=0)),
                ("unchanged", models.PositiveIntegerField(default=0)),
                ("rejected", models.PositiveIntegerField(default=0)),
                ("begun", models.DateTimeField()),
                ("finished", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("name", "size", "modified"), name="one_import_per_file")
                ],
            },
        ),
        migrations.CreateModel(
            name="Identifier",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(db_index=True, max_length=320)),
                (
                    "record",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="identifiers",
                        to="library.sourcerecord",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PossibleTwin",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("evidence", models.TextField()),
                (
                    "other",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="library.work"),
                ),
                (
                    "work",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="possible_twins", to="library.work"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Merge",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "records",
                    models.JSONField(default=list, help_text="ids of the records that came with the other work"),
                ),
                ("evidence", models.TextField(blank=True)),
                ("made", models.DateTimeField()),
                ("undone", models.DateTimeField(blank=True, null=True)),
                (
                    "other",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="merged_away", to="library.work"
                    ),
                ),
                (
                    "work",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="merges", to="library.work"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="FormerKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=200, unique=True)),
                (
                    "work",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="former_keys", to="library.work"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Citation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("influential", models.BooleanField(default=False)),
                ("citing_year", models.PositiveSmallIntegerField(default=0)),
                ("cited_year", models.PositiveSmallIntegerField(default=0)),
                ("lot", models.PositiveIntegerField(default=0)),
                (
                    "cited",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="citations",
                        to="library.work",
                    ),
                ),
                (
                    "citing",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="references",
                        to="library.work",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Listing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "direction",
                    models.CharField(choices=[("citing", "citing"), ("referenced", "referenced")], max_length=10),
                ),
                ("reported", models.PositiveIntegerField(help_text="how many the source says there are", null=True)),
                ("received", models.PositiveIntegerField(default=0, help_text="how many rows it has given")),
                (
                    "position",
                    models.CharField(blank=True, help_text="where to go on: an offset or a cursor", max_length=300),
                ),
                ("complete", models.BooleanField(default=False)),
                ("note", models.TextField(blank=True)),
                ("begun", models.DateTimeField()),
                ("updated", models.DateTimeField()),
                (
                    "record",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="listings", to="library.sourcerecord"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("record", "direction"), name="one_listing_per_side")],
            },
        ),
        migrations.CreateModel(
            name="Assertion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=60)),
                ("influential", models.BooleanField(null=True)),
                ("intents", models.JSONField(blank=True, default=list)),
                ("asserted", models.DateTimeField(help_text="when the source was first seen to say so")),
                (
                    "citation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="assertions",
                        to="library.citation",
                    ),
                ),
                (
                    "cited_record",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="cited_in", to="library.sourcerecord"
                    ),
                ),
                (
                    "citing_record",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="library.sourcerecord",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("citing_record", "cited_record", "source"), name="one_assertion_per_source"
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="sourcerecord",
            name="work",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="source_records", to="library.work"
            ),
        ),
        migrations.AddIndex(
            model_name="work",
            index=models.Index(fields=["title_mark"], name="works_by_title"),
        ),
        migrations.AddIndex(
            model_name="work",
            index=models.Index(fields=["people_mark"], name="works_by_people"),
        ),
        migrations.AddIndex(
            model_name="work",
            index=models.Index(fields=["name_mark"], name="works_by_coined_name"),
        ),
        migrations.AddIndex(
            model_name="work",
            index=models.Index(
                condition=models.Q(("arxiv_id", None)), fields=["people_mark"], name="elsewhere_by_people"
            ),
        ),
        migrations.AddIndex(
            model_name="work",
            index=models.Index(
                condition=models.Q(("arxiv_id", None)), fields=["name_mark"], name="elsewhere_by_coined_name"
            ),
        ),
        migrations.AddIndex(
            model_name="work",
            index=models.Index(
                condition=models.Q(("merged_into__isnull", False)), fields=["merged_into"], name="merged_works"
            ),
        ),
        migrations.AddConstraint(
            model_name="sourcerecord",
            constraint=models.UniqueConstraint(fields=("source", "locator"), name="one_record_per_locator"),
        ),
        migrations.AddConstraint(
            model_name="possibletwin",
            constraint=models.UniqueConstraint(fields=("work", "other"), name="one_note_per_twin"),
        ),
        migrations.AddIndex(
            model_name="citation",
            index=models.Index(fields=["cited", "influential", "citing_year", "lot", "citing"], name="drawn_citations"),
        ),
        migrations.AddIndex(
            model_name="citation",
            index=models.Index(fields=["citing", "influential", "cited_year", "lot", "cited"], name="drawn_references"),
        ),
        migrations.AddConstraint(
            model_name="citation",
            constraint=models.UniqueConstraint(fields=("citing", "cited"), name="one_edge_per_pair"),
        ),
        migrations.AddConstraint(
            model_name="citation",
            constraint=models.CheckConstraint(
                condition=models.Q(("citing", models.F("cited")), _negated=True), name="no_work_cites_itself"
            ),
        ),
        migrations.CreateModel(
            name="TermCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stem", models.TextField()),
                ("number", models.IntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="TermGroup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40, unique=True)),
                ("documents", models.IntegerField(default=0, help_text="papers counted in it")),
                (
                    "rule",
                    models.CharField(
                        help_text="the rule by which they were counted (lenslab.papers.terms.library_frequencies)",
                        max_length=16,
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="work",
            name="counted",
            field=models.BooleanField(
                db_default=False, default=False, editable=False, help_text="whether its words are in the term counts"
            ),
        ),
        migrations.AddIndex(
            model_name="work",
            index=models.Index(condition=models.Q(("counted", False)), fields=["id"], name="works_to_count"),
        ),
        migrations.AddField(
            model_name="termcount",
            name="group",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="counts",
                to="library.termgroup",
            ),
        ),
        migrations.AddConstraint(
            model_name="termcount",
            constraint=models.UniqueConstraint(fields=("group", "stem"), name="one_count_per_stem"),
        ),
        migrations.CreateModel(
            name="GeneratedText",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("summary", "summary"), ("findings", "findings")], max_length=10)),
                ("abstract_sha256", models.CharField(help_text="of the abstract that it is about", max_length=64)),
                (
                    "content",
                    models.JSONField(
                        help_text="sentences with their spans, the model, the host, when, for which version"
                    ),
                ),
                ("made", models.DateTimeField()),
                (
                    "work",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="generated", to="library.work"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("work", "kind"), name="one_text_of_a_kind")],
            },
        ),
        migrations.CreateModel(
            name="Harvest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "part",
                    models.CharField(
                        help_text="OAI-PMH's name of the set; empty for all of arXiv", max_length=60, unique=True
                    ),
                ),
                (
                    "datestamp",
                    models.CharField(blank=True, help_text="the last day that was reached, YYYY-MM-DD", max_length=10),
                ),
                (
                    "token",
                    models.TextField(
                        blank=True, help_text="where an interrupted harvest goes on, while arXiv knows it"
                    ),
                ),
                ("updated", models.DateTimeField()),
            ],
        ),
        # From here on SQLite's triggers hang on the works' table: a migration that lets Django make that table anew, as
        # any does that adds a column with a default, has to make them anew too.
        migrations.RunPython(index),
        migrations.RunPython(keep),
    ]

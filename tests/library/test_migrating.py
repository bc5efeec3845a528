"""A library of an earlier version is brought up to date: works, comments and addresses stay, and search finds them."""

import json

import pytest
from django.core.management import call_command

# The library that came with the first version, as it wrote it, with a comment under each of some works.
EARLIER = """
import json
from importlib.resources import files
import django; django.setup()
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from lenslab.library.intake import shipped_library
from lenslab.library.intake.duplicate_rule import compare
from lenslab.library.slugs import slug
from lenslab.papers.citation_key import citation_key
from lenslab.papers.work import Work as Listed

before = [("library", "0001_initial"), ("web", "0001_initial"), ("auth", "0012_alter_user_first_name_max_length")]
MigrationExecutor(connection).migrate(before)
apps = MigrationExecutor(connection).loader.project_state(before).apps
Work, Author, Citation, Record, File, User, Comment = (apps.get_model(name) for name in (
    "library.Work", "library.Author", "library.Citation", "library.SourceRecord", "library.ShippedFile", "auth.User",
    "web.Comment"))
(data,) = shipped_library.shipped_data()
File.objects.create(name=data.name, sha256=data.sha256)
document = json.loads(data.content)
told = document["paper"]
paper = Work.objects.create(
    key=told["arxiv_id"], arxiv_id=told["arxiv_id"],
    **{name: told[name] for name in ("title", "year", "abstract", "categories", "license_uri", "versions")})
for record in told["records"]:
    Record.objects.create(work=paper, source=record["source"], locator=record["locator"], title=told["title"],
                          facts=record["facts"])
taken = []
for group, cites in (("references", False), ("citations", True)):
    for row in document[group]["works"]:
        listed = Listed(row["title"], tuple(row["authors"]), row["year"])
        key = row.get("arxiv_id") or slug(listed)
        # Records of one work were merged.
        work = next((work for other, work in taken if compare(listed, other).verdict == "same"), None)
        if work is None:
            work = Work.objects.create(
                key=key, arxiv_id=row.get("arxiv_id"), title=row["title"], year=row["year"])
            taken.append((listed, work))
            for position, name in enumerate(row["authors"]):
                Author.objects.create(work=work, position=position, name=name)
        edge, _ = Citation.objects.get_or_create(
            citing=work if cites else paper, cited=paper if cites else work)
        locator = f"{paper.key}, row {row['row']}" if cites else citation_key(listed)
        Record.objects.create(work=work, citation=edge, source=document[group]["source"], locator=locator,
                              title=row["title"], authors=", ".join(row["authors"]), year=row["year"])
reader = User.objects.create(username="ada")
keys = list(Work.objects.order_by("pk").values_list("key", flat=True))
for key in keys:
    Comment.objects.create(work=Work.objects.get(key=key), author=reader, text=key)
print(json.dumps(keys))
"""
MIGRATE = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
"""
OPEN = "from lenslab.library import ready; ready()"
TELL = """
import json
import django; django.setup()
from lenslab.library import works
from lenslab.library.intake import shipped_library
from lenslab.library.models import Citation, SourceRecord, Work
from lenslab.web.models import Comment
from tests.library.intake.test_field_resolution import assert_index_is_whole, found
assert_index_is_whole()
comments = list(Comment.objects.select_related("work").order_by("pk"))
print(json.dumps({
    "works": works.all_works().count(),
    "rows": Work.objects.count(),
    "citations": Citation.objects.count(),
    "records": SourceRecord.objects.count(),
    "without a record": Work.objects.filter(source_records=None, merged_into=None).count(),
    "with authors": Work.objects.exclude(authors=[]).count(),
    "found": found("morcos") and found("ablation"),
    "comments": [comment.text for comment in comments],
    "elsewhere": [comment.text for comment in comments
                  if (works.find_work(comment.text).pk != (comment.work.merged_into_id or comment.work.pk))],
    "loaded": all(map(shipped_library.is_loaded, shipped_library.shipped_data())),
    "versions": works.paper(works.find_work("1806.02891")).versions[0].number,
}))
"""


def tell(elsewhere):
    (said,) = elsewhere.wait(elsewhere(TELL))
    return json.loads(said)


def test_works_records_and_comments_stay_and_are_found(elsewhere):
    (keys,) = map(json.loads, elsewhere.wait(elsewhere(EARLIER)))
    elsewhere.wait(elsewhere(MIGRATE))
    said = tell(elsewhere)
    assert (said["works"], said["records"]) == (len(keys), 122)
    assert (said["without a record"], said["elsewhere"], said["comments"]) == (0, [], keys)
    assert said["with authors"] > 100
    assert said["found"]
    assert said["versions"] == 1
    assert not said["loaded"], "the next opening loads the shipped papers into the new tables"


def test_the_next_opening_gives_the_library_of_today_with_every_comment_where_its_address_leads(elsewhere):
    (keys,) = map(json.loads, elsewhere.wait(elsewhere(EARLIER)))
    elsewhere.wait(elsewhere(OPEN))
    said = tell(elsewhere)
    assert said["loaded"]
    assert (said["citations"], said["records"]) == (116, 122)
    assert (said["without a record"], said["elsewhere"], said["comments"]) == (0, [], keys)
    assert said["works"] == 117
    elsewhere.wait(elsewhere(OPEN))
    assert tell(elsewhere) == said


def test_an_empty_place_becomes_a_library_of_today(elsewhere):
    elsewhere.wait(elsewhere(OPEN))
    said = tell(elsewhere)
    assert (said["works"], said["rows"], said["citations"], said["comments"]) == (117, 117, 116, [])
    assert said["found"]


@pytest.mark.django_db
def test_the_migrations_say_what_the_models_say():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)

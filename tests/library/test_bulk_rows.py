"""Many rows at once say the same as one row at a time, on either database."""

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lenslab.library import bulk_rows
from lenslab.library.models import FormerKey, Identifier, Work
from lenslab.papers.paper import Paper
from tests.library.making import NOW

pytestmark = pytest.mark.django_db

awkward = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30)


def works(number):
    return Work.objects.bulk_create(Work(key=f"w{n}", title=f"W{n}") for n in range(number))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(awkward, max_size=8))
def test_rows_come_back_as_they_went_in_whatever_they_hold(keys):
    Work.objects.all().delete()
    (work,) = works(1)
    unique = list(dict.fromkeys(keys))
    bulk_rows.insert("library_formerkey", ("work_id", "key"), [(work.pk, key) for key in unique])
    assert list(FormerKey.objects.order_by("pk").values_list("key", flat=True)) == unique


def test_no_id_is_given_twice_and_none_that_a_row_has():
    before = {work.pk for work in works(3)}
    given_out = list(bulk_rows.new_ids("library_work", 5))
    bulk_rows.insert("library_work", *rows(given_out))
    again = list(bulk_rows.new_ids("library_work", 5))
    assert len({*before, *given_out, *again}) == 13
    assert Work.objects.create(key="later", title="Later").pk not in {*before, *given_out}


def rows(ids):
    from lenslab.library.intake import field_resolution

    columns = ("id", "key", "citation_count", "reference_count", *field_resolution.COLUMNS)
    return columns, [(pk, f"k{pk}", 0, 0, *field_resolution.row(Paper(title=f"Units of {pk}"))) for pk in ids]


@pytest.mark.parametrize("number", [0, 1, 899, 900, 901, 2000])
def test_a_list_of_any_length_is_asked_for_in_portions(number):
    pks = [work.pk for work in works(number)]
    found = list(bulk_rows.select("SELECT id FROM library_work WHERE title <> %s AND id IN {list}", pks, "W0"))
    assert {pk for (pk,) in found} == set(pks[1:])
    assert [pk for part in bulk_rows.batched(pks) for pk in part] == pks


@pytest.mark.parametrize("number", [0, 1, 449, 450, 451])
def test_pairs_of_any_number_find_their_rows(number):
    pks = [work.pk for work in works(2 * number)]
    pairs = list(zip(pks[:number], pks[number:], strict=True))
    query = "SELECT one.id, other.id FROM pair JOIN library_work one ON one.id = pair.one JOIN library_work other ON "
    found = bulk_rows.select_pairs(query + "other.id = pair.other", pairs)
    assert sorted(found) == sorted(pairs)


def test_columns_of_many_rows_are_set_each_to_its_own():
    found = works(3)
    bulk_rows.update("library_work", ("title", "year"), [("One", 2001, found[0].pk), ("Two", 2002, found[1].pk)])
    for work in found:
        work.refresh_from_db()
    assert [(work.title, work.year) for work in found[:2]] == [("One", 2001), ("Two", 2002)]
    assert (found[2].title, found[2].year) == ("W2", None)
    bulk_rows.update("library_work", ("title",), [])


@pytest.mark.skipif(connection.vendor != "sqlite", reason="of SQLite's index")
def test_the_search_index_is_whole_after_an_insertion_that_failed():
    works(1)
    columns, told = rows(bulk_rows.new_ids("library_work", 4))
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk_rows.insert_works(columns, [*told[:3], told[0]])
    bulk_rows.insert_works(columns, told)
    Work.objects.create(key="single", title="Units alone")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM library_search WHERE library_search MATCH 'units'")
        assert cursor.fetchone() == (5,)
        cursor.execute("SELECT count(*) FROM library_search_pause")
        assert cursor.fetchone() == (0,)


def test_an_insertion_that_fails_leaves_nothing():
    (work,) = works(1)
    record = work.source_records.create(source="s", locator="1", retrieved=NOW, sha256=b"", content=b"")
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk_rows.insert("library_identifier", ("record_id", "name"), [(record.pk, "doi:10.1/x"), (record.pk, None)])
    assert not Identifier.objects.exists()

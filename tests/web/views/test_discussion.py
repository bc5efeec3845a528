"""Discussion: who may write what, what is shown of it, and what a moderator does."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from lenslab.library.models import Work
from lenslab.web.models import Comment

PASSWORD = "a-long-and-odd-password-7"
ADDRESS = "/work/a-paper"

pytestmark = pytest.mark.django_db


@pytest.fixture
def work() -> Work:
    return Work.objects.create(key="a-paper", title="A paper", year=2020)


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", password=PASSWORD)


@pytest.fixture
def bob() -> User:
    return User.objects.create_user("bob", password=PASSWORD)


def signed_in(user: User, **options: Any) -> Client:
    client = Client(**options)
    client.force_login(user)
    return client


def test_a_reader_signs_up_posts_edits_deletes_and_signs_out(client: Client, work: Work) -> None:
    answer = client.post("/sign-up", {"username": "eve", "password1": PASSWORD, "password2": PASSWORD, "next": ADDRESS})
    assert answer["Location"] == ADDRESS
    client.post(f"/comments/on/{work.pk}", {"text": "A *first* word"})
    assert "<em>first</em>" in client.get(ADDRESS).content.decode()
    comment = Comment.objects.get()
    assert comment.author.username == "eve"
    client.post(f"/comments/{comment.pk}/edit", {"text": "A second word"})
    page = client.get(ADDRESS).content.decode()
    assert "A second word" in page
    assert "edited" in page
    assert b"A second word" in client.get(f"/comments/{comment.pk}/delete").content
    assert Comment.objects.exists()
    client.post(f"/comments/{comment.pk}/delete")
    assert not Comment.objects.exists()
    client.post("/sign-out")
    assert "Sign in" in client.get(ADDRESS).content.decode()


def test_the_number_of_comments_leaves_hidden_ones_out(client: Client, work: Work, ada: User) -> None:
    Comment.objects.create(work=work, author=ada, text="shown")
    Comment.objects.create(work=work, author=ada, text="secret words", hidden=True, hidden_reason="off topic")
    page = client.get(ADDRESS).content.decode()
    assert "Comments (1)" in page
    assert "secret words" not in page
    assert "off topic" in page


def test_who_is_not_signed_in_is_asked_to_and_nothing_is_kept(client: Client, work: Work, ada: User) -> None:
    comment = Comment.objects.create(work=work, author=ada, text="hers")
    for address in (f"/comments/on/{work.pk}", f"/comments/{comment.pk}/edit", f"/comments/{comment.pk}/delete"):
        answer = client.post(address, {"text": "x"})
        assert answer.status_code == 302
        assert answer["Location"].startswith("/sign-in?next=")
    assert [held.text for held in Comment.objects.all()] == ["hers"]


@pytest.mark.parametrize("verb", ["edit", "delete"])
def test_nobody_writes_over_another_s_comment(work: Work, ada: User, bob: User, verb: str) -> None:
    comment = Comment.objects.create(work=work, author=ada, text="hers")
    other = signed_in(bob)
    assert other.get(f"/comments/{comment.pk}/{verb}").status_code == 404
    assert other.post(f"/comments/{comment.pk}/{verb}", {"text": "his"}).status_code == 404
    assert Comment.objects.get().text == "hers"
    assert f"/comments/{comment.pk}/edit" not in other.get(ADDRESS).content.decode()
    assert f"/comments/{comment.pk}/edit" in signed_in(ada).get(ADDRESS).content.decode()


def test_a_hidden_comment_is_out_of_its_author_s_reach(work: Work, ada: User) -> None:
    comment = Comment.objects.create(work=work, author=ada, text="hers", hidden=True)
    author = signed_in(ada)
    assert author.post(f"/comments/{comment.pk}/edit", {"text": "again"}).status_code == 404
    assert author.post(f"/comments/{comment.pk}/delete").status_code == 404
    assert Comment.objects.get().text == "hers"


@pytest.mark.parametrize(
    "address", ["comments/on/{work}", "comments/{comment}/edit", "comments/{comment}/delete", "sign-out"]
)
def test_every_write_asks_for_its_token(work: Work, ada: User, address: str) -> None:
    comment = Comment.objects.create(work=work, author=ada, text="hers")
    strict = signed_in(ada, enforce_csrf_checks=True)
    answer = strict.post("/" + address.format(work=work.pk, comment=comment.pk), {"text": "forged"})
    assert answer.status_code == 403
    assert b"The form was not accepted" in answer.content
    assert [held.text for held in Comment.objects.all()] == ["hers"]
    assert "ada" in strict.get(ADDRESS).content.decode()


@pytest.mark.parametrize("address", ["/sign-in", "/sign-up"])
def test_signing_in_and_up_ask_for_their_token(address: str) -> None:
    assert Client(enforce_csrf_checks=True).post(address, {"username": "eve"}).status_code == 403


@pytest.mark.parametrize("verb", ["edit", "delete"])
def test_reading_an_address_changes_nothing(work: Work, ada: User, verb: str) -> None:
    comment = Comment.objects.create(work=work, author=ada, text="hers")
    author = signed_in(ada)
    assert author.get(f"/comments/{comment.pk}/{verb}", {"text": "x"}).status_code == 200
    assert author.get(f"/comments/on/{work.pk}").status_code == 405
    assert author.get("/sign-out").status_code == 405
    assert Comment.objects.get().text == "hers"


def test_a_form_sets_the_text_and_nothing_else(work: Work, ada: User, bob: User) -> None:
    other = Work.objects.create(key="other", title="Other")
    signed_in(ada).post(
        f"/comments/on/{work.pk}", {"text": "words", "author": bob.pk, "work": other.pk, "hidden": "on"}
    )
    comment = Comment.objects.get()
    assert (comment.author, comment.work, comment.hidden) == (ada, work, False)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        '[x](https://example.org "onmouseover=alert(1)")',
        "![x](https://example.org/track.png)",
        "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
        "`</code><script>alert(1)</script>`",
        "[x]: javascript:alert(1)\n\n[x]",
        "<svg/onload=alert(1)>",
    ],
)
def test_a_hostile_comment_is_only_words(client: Client, work: Work, ada: User, text: str) -> None:
    Comment.objects.create(work=work, author=ada, text=text)
    page = client.get(ADDRESS).content.decode()
    shown = page[page.index('class="comment-text"') : page.index("</article>", page.index('class="comment-text"'))]
    for forbidden in (
        "<script",
        "<img",
        "<svg",
        'href="javascript',
        'href="data',
        " onmouseover=",
        " onerror=alert(1)>",
    ):
        assert forbidden not in shown.replace("&lt;img src=x onerror=alert(1)&gt;", "")


@pytest.mark.parametrize("text", ["", "   \n", "x" * 10_001])
def test_an_empty_or_endless_comment_is_refused_and_its_words_kept_in_the_form(
    work: Work, ada: User, text: str
) -> None:
    answer = signed_in(ada).post(f"/comments/on/{work.pk}", {"text": text})
    assert answer.status_code == 400
    assert not Comment.objects.exists()
    assert b"problem" in answer.content


def test_many_comments_in_a_short_time_are_refused(work: Work, ada: User) -> None:
    author = signed_in(ada)
    statuses = [author.post(f"/comments/on/{work.pk}", {"text": f"word {n}"}).status_code for n in range(22)]
    assert statuses == [302] * 20 + [429] * 2
    assert Comment.objects.count() == 20


def test_a_comment_on_a_work_that_is_not_there_is_refused(ada: User) -> None:
    assert signed_in(ada).post("/comments/on/99999", {"text": "x"}).status_code == 404


def test_a_moderator_hides_and_shows_comments_in_the_admin(work: Work, ada: User) -> None:
    comment = Comment.objects.create(work=work, author=ada, text="rude")
    moderator = signed_in(User.objects.create_superuser("mod", password=PASSWORD))
    chosen = {"_selected_action": [comment.pk]}
    assert b"rude" in moderator.get("/admin/web/comment/").content
    moderator.post("/admin/web/comment/", {"action": "hide", **chosen})
    assert Comment.objects.get().hidden
    moderator.post("/admin/web/comment/", {"action": "show", **chosen})
    assert not Comment.objects.get().hidden
    moderator.post(
        f"/admin/web/comment/{comment.pk}/change/", {"hidden": "on", "hidden_reason": "rude", "text": "changed"}
    )
    comment.refresh_from_db()
    assert (comment.hidden, comment.hidden_reason, comment.text) == (True, "rude", "rude")
    assert moderator.get("/admin/web/comment/add/").status_code == 403


def test_a_reader_has_no_way_into_the_admin(ada: User) -> None:
    assert signed_in(ada).get("/admin/web/comment/").status_code == 302


def test_comments_take_no_query_each(work: Work, ada: User, django_assert_max_num_queries: Any) -> None:
    for number in range(50):
        Comment.objects.create(work=work, author=ada, text=f"word {number}")
    author = signed_in(ada)
    with django_assert_max_num_queries(25):
        assert b"word 49" in author.get(ADDRESS).content

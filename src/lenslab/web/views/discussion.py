"""Writing under a paper: post, edit one's own, delete one's own."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from lenslab.library.models import Work
from lenslab.papers.text.latex_display import plain_text
from lenslab.web.addresses import work_address
from lenslab.web.forms import CommentForm
from lenslab.web.models import Comment
from lenslab.web.throttle import COMMENT


@login_required
@require_POST
def post(request: HttpRequest, work: int) -> HttpResponse:
    """Post a comment under a work."""
    author = _reader(request)
    about = get_object_or_404(Work, pk=work)
    form = CommentForm(request.POST)
    if COMMENT.spent(author.pk):
        form.add_error(None, "You have posted a lot in a short time; wait ten minutes.")
    if not form.is_valid():
        status = 429 if COMMENT.spent(author.pk) else 400
        return render(request, "comment-form.html", {"form": form, "verb": "Post", **_about(about)}, status=status)
    COMMENT.count(author.pk)
    comment = form.save(commit=False)
    comment.work, comment.author = about, author
    comment.save()
    return redirect(f"{work_address(about.key)}#comment-{comment.pk}")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, comment: int) -> HttpResponse:
    """Change one's own comment."""
    own = _own(request, comment)
    form = CommentForm(request.POST or None, instance=own)
    if request.method == "POST" and form.is_valid():
        changed = form.save(commit=False)
        changed.edited = timezone.now()
        changed.save(update_fields=["text", "edited"])
        return redirect(f"{work_address(own.work.key)}#comment-{own.pk}")
    status = 400 if request.method == "POST" else 200
    return render(request, "comment-form.html", {"form": form, "verb": "Save", **_about(own.work)}, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, comment: int) -> HttpResponse:
    """Delete one's own comment, after asking."""
    own = _own(request, comment)
    if request.method == "POST":
        own.delete()
        messages.success(request, "Your comment is deleted.")
        return redirect(f"{work_address(own.work.key)}#discussion")
    return render(request, "comment-delete.html", {"comment": own, **_about(own.work)})


def _about(work: Work) -> dict[str, str]:
    """Say about the work that a form belongs to what its page shows."""
    return {"address": work_address(work.key), "paper_title": plain_text(work.title)}


def _own(request: HttpRequest, comment: int) -> Comment:
    """Find the reader's own comment; another's, or one that a moderator has hidden, is not found."""
    comments = Comment.objects.select_related("work", "author")
    return get_object_or_404(comments, pk=comment, author=_reader(request), hidden=False)


def _reader(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user

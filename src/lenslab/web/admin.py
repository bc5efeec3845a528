"""Moderation, in Django's admin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from lenslab.web.models import Comment

if TYPE_CHECKING:
    CommentAdminBase = admin.ModelAdmin[Comment]
else:
    CommentAdminBase = admin.ModelAdmin

admin.site.site_header = "lenslab"
admin.site.site_title = "lenslab"
admin.site.index_title = "Moderation"


@admin.register(Comment)
class CommentAdmin(CommentAdminBase):
    """Comments, newest first, to be hidden with a reason or shown again; their words stay their author's."""

    list_display = ("posted", "author", "work", "beginning", "hidden")
    list_filter = ("hidden", "posted")
    search_fields = ("text", "author__username", "work__title")
    readonly_fields = ("work", "author", "text", "posted", "edited")
    list_select_related = ("author", "work")
    ordering = ("-posted",)
    actions = ("hide", "show")

    @admin.display(description="text")
    def beginning(self, comment: Comment) -> str:
        """Give the first words."""
        return comment.text[:80]

    @admin.action(description="Hide the selected comments")
    def hide(self, request: HttpRequest, comments: QuerySet[Comment]) -> None:
        """Take comments off their pages."""
        self.message_user(request, f"{comments.update(hidden=True)} hidden")

    @admin.action(description="Show the selected comments again")
    def show(self, request: HttpRequest, comments: QuerySet[Comment]) -> None:
        """Put comments back on their pages."""
        self.message_user(request, f"{comments.update(hidden=False, hidden_reason='')} shown again")

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody writes in another's name."""
        return False

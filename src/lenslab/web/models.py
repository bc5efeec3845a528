"""What readers write: comments under a work."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from lenslab.library.models import Work

LONGEST_COMMENT = 10_000


class Comment(models.Model):
    """One reader's words under one work, kept as they were typed (Markdown) and made safe whenever they are shown."""

    work = models.ForeignKey(Work, on_delete=models.CASCADE, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="comments")
    text = models.TextField(max_length=LONGEST_COMMENT, help_text="Markdown")
    posted = models.DateTimeField(auto_now_add=True)
    edited = models.DateTimeField(null=True, blank=True)
    hidden = models.BooleanField(default=False, help_text="taken off the page by a moderator")
    hidden_reason = models.CharField(max_length=200, blank=True, help_text="shown in the comment's place")

    class Meta:
        """The oldest first, as people read a conversation."""

        ordering: ClassVar = ["posted", "pk"]
        indexes: ClassVar = [models.Index(fields=["work", "posted"], name="comments_of_a_work")]

    def __str__(self) -> str:
        return f"{self.author}: {self.text[:60]}"

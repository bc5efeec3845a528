"""Works, who wrote them, which cites which, and where each fact came from."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Work(models.Model):
    """A paper, book or proceedings: one row, however many sources name it.

    ``key`` is the stable name in addresses: the arXiv id where there is one, else a slug of title, author and year.
    """

    key = models.CharField(max_length=200, unique=True)
    arxiv_id = models.CharField(max_length=32, unique=True, null=True, blank=True)
    doi = models.CharField(max_length=200, blank=True)
    title = models.TextField()
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    abstract = models.TextField(blank=True)
    author_comments = models.TextField(blank=True, help_text="what arXiv calls comments")
    journal_reference = models.TextField(blank=True)
    license_uri = models.URLField(blank=True)
    categories = models.JSONField(default=list, blank=True, help_text="arXiv category ids, the primary one first")
    submitted = models.DateField(null=True, blank=True, help_text="day of version 1")
    updated = models.DateField(null=True, blank=True, help_text="day of the newest version")
    versions = models.JSONField(default=list, blank=True, help_text="[{version, created}], oldest first")

    class Meta:
        """Newest first."""

        ordering: ClassVar = ["-year", "title"]
        indexes: ClassVar = [models.Index(fields=["-year"], name="newest_first")]

    def __str__(self) -> str:
        """The title, with the year where it is known."""
        return f"{self.title} ({self.year})" if self.year else self.title


class Author(models.Model):
    """A name in a work's author list, in its order; nothing claims that equal names are one person."""

    # The constraint below indexes (work, position), which serves every look-up by work.
    work = models.ForeignKey(Work, on_delete=models.CASCADE, related_name="authors", db_index=False)
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=300)

    class Meta:
        """One author per place in the list."""

        ordering: ClassVar = ["work", "position"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["work", "position"], name="one_author_per_position")]

    def __str__(self) -> str:
        """The name as the source wrote it."""
        return self.name


class Citation(models.Model):
    """One work cites another."""

    # An index alone answers a walk in either direction: (citing, cited) by the constraint, (cited, citing) below.
    citing = models.ForeignKey(Work, on_delete=models.CASCADE, related_name="references", db_index=False)
    cited = models.ForeignKey(Work, on_delete=models.CASCADE, related_name="citations", db_index=False)

    class Meta:
        """One edge per pair, found from either end."""

        indexes: ClassVar = [models.Index(fields=["cited", "citing"], name="cited_then_citing")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["citing", "cited"], name="one_edge_per_pair"),
            models.CheckConstraint(condition=~models.Q(citing=models.F("cited")), name="no_work_cites_itself"),
        ]

    def __str__(self) -> str:
        """Citing work, arrow, cited work."""
        return f"{self.citing} → {self.cited}"


class SourceRecord(models.Model):
    """What one source said about one work, as it said it; several records may have been merged into one work.

    ``citation`` is set where the record also is the source's evidence for an edge.
    """

    work = models.ForeignKey(Work, on_delete=models.CASCADE, related_name="source_records")
    citation = models.ForeignKey(
        Citation, on_delete=models.CASCADE, related_name="source_records", null=True, blank=True
    )
    source = models.CharField(max_length=200, help_text="who said it, for instance 'arxivlens.com page'")
    locator = models.CharField(max_length=300, help_text="where in the source: a row, a path, an address")
    retrieved = models.DateField(null=True, blank=True)
    title = models.TextField(blank=True)
    authors = models.TextField(blank=True)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    facts = models.JSONField(default=dict, blank=True, help_text="anything else the source said, by name")
    merge_evidence = models.TextField(blank=True, help_text="why this record was merged into the work")

    class Meta:
        """One record per place in a source."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "locator"], name="one_record_per_locator")]

    def __str__(self) -> str:
        """Source and place."""
        return f"{self.source}, {self.locator}"


class ShippedFile(models.Model):
    """A file of shipped data that this library has loaded, so that the next start need not read it again."""

    name = models.CharField(max_length=200, unique=True)
    sha256 = models.CharField(max_length=64)
    loaded = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        """The file's name and the beginning of its hash."""
        return f"{self.name} ({self.sha256[:8]})"

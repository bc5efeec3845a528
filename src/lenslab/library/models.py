"""Works, which cites which, and what each source said: works and citations are views on what the sources say."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Literal

from django.db import models
from django.db.models import F, Q

Direction = Literal["citing", "referenced"]


class Readable(json.JSONEncoder):
    """JSON with letters as they are, so that the search index on SQLite reads names and not escapes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "ensure_ascii": False})


class Work(models.Model):
    """A paper, book or proceedings: one row, however many sources name it.

    ``key`` is the stable name in addresses: the arXiv id where there is one, else a slug of title, author and year. All
    other fields are resolved from the work's source records (``lenslab.library.intake.field_resolution``), and can be
    made again.
    """

    key = models.CharField(max_length=200, unique=True)
    arxiv_id = models.CharField(max_length=32, unique=True, null=True, blank=True)
    doi = models.CharField(max_length=300, blank=True)
    title = models.TextField()
    byline = models.CharField(max_length=200, blank=True, help_text="the authors as a reader names them in passing")
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    authors = models.JSONField(default=list, blank=True, encoder=Readable, help_text="names in the work's order")
    categories = models.JSONField(default=list, blank=True, help_text="arXiv category ids, the primary one first")
    submitted = models.DateField(null=True, blank=True, help_text="day of version 1")
    updated = models.DateField(null=True, blank=True, help_text="day of the newest version")
    license_uri = models.CharField(max_length=300, blank=True)
    journal_reference = models.TextField(blank=True)
    publication = models.JSONField(
        null=True, blank=True, encoder=Readable, help_text="the parts of a publication that a source states, by name"
    )
    standing = models.CharField(max_length=20, null=True, blank=True, help_text="'retracted' or 'withdrawn'")
    author_comments = models.TextField(blank=True, help_text="what arXiv calls comments")
    report_number = models.TextField(blank=True)
    msc_class = models.TextField(blank=True)
    acm_class = models.TextField(blank=True)
    versions = models.JSONField(default=list, blank=True, help_text="[{number, created, ...}], oldest first")
    abstract = models.TextField(blank=True)
    # For the search index, which on either database follows this table by itself.
    plain = models.TextField(blank=True, editable=False, help_text="words that LaTeX or accents hide from a search")
    facets = models.TextField(blank=True, editable=False, help_text="categories, archives and year as words")
    # How many works of the library cite this one, and how many of them it cites.
    citation_count = models.PositiveIntegerField(default=0)
    reference_count = models.PositiveIntegerField(default=0)
    counted = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="whether its words are in the term counts"
    )
    # Hashes by which records of one work find each other (lenslab.library.intake.matching_hashes).
    title_mark = models.BigIntegerField(null=True, editable=False)
    people_mark = models.BigIntegerField(null=True, editable=False)
    name_mark = models.BigIntegerField(null=True, editable=False)
    merged_into = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="absorbed", db_index=False
    )

    class Meta:
        """Newest first."""

        ordering: ClassVar = ["-year", "title"]
        indexes: ClassVar = [
            models.Index(fields=["-year"], name="newest_first"),
            models.Index(fields=["title_mark"], name="works_by_title"),
            models.Index(fields=["people_mark"], name="works_by_people"),
            models.Index(fields=["name_mark"], name="works_by_coined_name"),
            # What an arXiv paper may be a twin of: two arXiv papers never are one work, so most works are left out.
            models.Index(fields=["people_mark"], name="elsewhere_by_people", condition=Q(arxiv_id=None)),
            models.Index(fields=["name_mark"], name="elsewhere_by_coined_name", condition=Q(arxiv_id=None)),
            models.Index(fields=["id"], name="works_to_count", condition=Q(counted=False)),
            # Of all works, which SQLite would read by it rather than look a few up, an index of the merged ones knows
            # nothing.
            models.Index(fields=["merged_into"], name="merged_works", condition=Q(merged_into__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.year})" if self.year else self.title


class FormerKey(models.Model):
    """A key that a work had before it was known by its arXiv id, so that old addresses still lead to it."""

    key = models.CharField(max_length=200, unique=True)
    work = models.ForeignKey(Work, on_delete=models.CASCADE, related_name="former_keys")

    def __str__(self) -> str:
        return f"{self.key} → {self.work.key}"


class SourceRecord(models.Model):
    """What one source says of one work, as it says it."""

    work = models.ForeignKey(Work, on_delete=models.CASCADE, related_name="source_records")
    source = models.CharField(max_length=60, help_text="who says it, for instance 'Semantic Scholar'")
    locator = models.CharField(max_length=300, help_text="where in the source: an id, a row, a key")
    retrieved = models.DateTimeField(help_text="when it was read, or last read with other words")
    sha256 = models.BinaryField(max_length=32)
    content = models.BinaryField(help_text="the source's own record, compressed with Zstandard")
    evidence = models.TextField(blank=True, help_text="why it was taken for a record of this work")

    class Meta:
        """One record per place in a source."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "locator"], name="one_record_per_locator")]

    def __str__(self) -> str:
        return f"{self.source}, {self.locator}"


class Identifier(models.Model):
    """A name of a work elsewhere, as a record gives it, for instance ``doi:10.1145/3394486``."""

    record = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, related_name="identifiers")
    name = models.CharField(max_length=320, db_index=True)

    def __str__(self) -> str:
        return self.name


class Citation(models.Model):
    """One work cites another: a view on what the sources assert.

    Years and ``lot`` stand here too, so that one index answers which of a hundred thousand citing works a picture
    shows: the influential ones first, then so many of each year, drawn by lot. A year of 0 is unknown.
    """

    citing = models.ForeignKey(Work, on_delete=models.CASCADE, related_name="references", db_index=False)
    cited = models.ForeignKey(Work, on_delete=models.CASCADE, related_name="citations", db_index=False)
    influential = models.BooleanField(default=False)
    citing_year = models.PositiveSmallIntegerField(default=0)
    cited_year = models.PositiveSmallIntegerField(default=0)
    lot = models.PositiveIntegerField(default=0)

    class Meta:
        """One edge per pair, found from either end."""

        indexes: ClassVar = [
            models.Index(fields=["cited", "influential", "citing_year", "lot", "citing"], name="drawn_citations"),
            models.Index(fields=["citing", "influential", "cited_year", "lot", "cited"], name="drawn_references"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["citing", "cited"], name="one_edge_per_pair"),
            models.CheckConstraint(condition=~Q(citing=F("cited")), name="no_work_cites_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.citing} → {self.cited}"


class Assertion(models.Model):
    """A source's word that one work cites another; the records are those that name the two.

    ``citation`` is empty where both records were merged into one work: no work cites itself.
    """

    citation = models.ForeignKey(Citation, on_delete=models.SET_NULL, related_name="assertions", null=True, blank=True)
    source = models.CharField(max_length=60)
    citing_record = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, related_name="+", db_index=False)
    cited_record = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, related_name="cited_in")
    influential = models.BooleanField(null=True)
    intents = models.JSONField(default=list, blank=True)
    asserted = models.DateTimeField(help_text="when the source was first seen to say so")

    class Meta:
        """A source says a thing once."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["citing_record", "cited_record", "source"], name="one_assertion_per_source")
        ]

    def __str__(self) -> str:
        return f"{self.source}: {self.citing_record} → {self.cited_record}"


class Listing(models.Model):
    """A source's list of what cites a work, or of what it cites: how much it reports, and how much of it is here."""

    record = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, related_name="listings")
    direction = models.CharField(max_length=10, choices=[("citing", "citing"), ("referenced", "referenced")])
    reported = models.PositiveIntegerField(null=True, help_text="how many the source says there are")
    received = models.PositiveIntegerField(default=0, help_text="how many rows it has given")
    position = models.CharField(max_length=300, blank=True, help_text="where to go on: an offset or a cursor")
    complete = models.BooleanField(default=False)
    note = models.TextField(blank=True)
    begun = models.DateTimeField()
    updated = models.DateTimeField()

    class Meta:
        """One list per record and direction."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["record", "direction"], name="one_listing_per_side")]

    def __str__(self) -> str:
        return f"{self.record}: {self.direction}, {self.received} of {self.reported}"


class Merge(models.Model):
    """A work whose records were given to another, and why; undone, the two are held apart from then on."""

    work = models.ForeignKey(Work, on_delete=models.CASCADE, related_name="merges")
    other = models.ForeignKey(Work, on_delete=models.CASCADE, related_name="merged_away")
    records = models.JSONField(default=list, help_text="ids of the records that came with the other work")
    evidence = models.TextField(blank=True)
    made = models.DateTimeField()
    undone = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.other.key} → {self.work.key}"


class PossibleTwin(models.Model):
    """Two works that are possibly the same, and were left apart."""

    work = models.ForeignKey(Work, on_delete=models.CASCADE, related_name="possible_twins")
    other = models.ForeignKey(Work, on_delete=models.CASCADE, related_name="+")
    evidence = models.TextField()

    class Meta:
        """Noted once on either side."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["work", "other"], name="one_note_per_twin")]

    def __str__(self) -> str:
        return f"{self.work} ≟ {self.other}"


class Payload(models.Model):
    """An answer of a source, as it came, so that it can be asked for changes only and read again."""

    url = models.TextField(unique=True)
    sha256 = models.BinaryField(max_length=32)
    content = models.BinaryField(help_text="compressed with Zstandard")
    media_type = models.CharField(max_length=200, blank=True)
    etag = models.CharField(max_length=300, blank=True)
    last_modified = models.CharField(max_length=100, blank=True)
    retrieved = models.DateTimeField()

    def __str__(self) -> str:
        return self.url


class Harvest(models.Model):
    """How far a part of arXiv was harvested, so that the next harvest asks only for what has changed since."""

    part = models.CharField(max_length=60, unique=True, help_text="OAI-PMH's name of the set; empty for all of arXiv")
    datestamp = models.CharField(max_length=10, blank=True, help_text="the last day that was reached, YYYY-MM-DD")
    token = models.TextField(blank=True, help_text="where an interrupted harvest goes on, while arXiv knows it")
    updated = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.part or 'arXiv'} up to {self.datestamp}"


class TermGroup(models.Model):
    """A group of papers whose words are counted: a category, an archive, or ``all``."""

    name = models.CharField(max_length=40, unique=True)
    documents = models.IntegerField(default=0, help_text="papers counted in it")
    rule = models.CharField(
        max_length=16, help_text="the rule by which they were counted (lenslab.papers.terms.library_frequencies)"
    )

    def __str__(self) -> str:
        return f"{self.name} ({self.documents})"


class TermCount(models.Model):
    """In how many of a group's papers a stem stands."""

    group = models.ForeignKey(TermGroup, on_delete=models.CASCADE, related_name="counts", db_index=False)
    stem = models.TextField()
    number = models.IntegerField()

    class Meta:
        """One number per stem and group."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["group", "stem"], name="one_count_per_stem")]

    def __str__(self) -> str:
        return f"{self.stem}: {self.number}"


class GeneratedText(models.Model):
    """What a language model wrote about a work, as it was checked against the abstract (``papers.summary``)."""

    work = models.ForeignKey(Work, on_delete=models.CASCADE, related_name="generated")
    kind = models.CharField(max_length=10, choices=[("summary", "summary"), ("findings", "findings")])
    abstract_sha256 = models.CharField(max_length=64, help_text="of the abstract that it is about")
    content = models.JSONField(help_text="sentences with their spans, the model, the host, when, for which version")
    made = models.DateTimeField()

    class Meta:
        """The latest of each kind is kept."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["work", "kind"], name="one_text_of_a_kind")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.work.key}"


class FileImport(models.Model):
    """How far a file was read, so that an interrupted import goes on where it stopped."""

    name = models.TextField()
    size = models.BigIntegerField()
    modified = models.BigIntegerField(help_text="nanoseconds, as the file system says")
    line = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    begun = models.DateTimeField()
    finished = models.DateTimeField(null=True, blank=True)

    class Meta:
        """A file that changed is another file."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["name", "size", "modified"], name="one_import_per_file")
        ]

    def __str__(self) -> str:
        return f"{self.name}, line {self.line}"


class ShippedFile(models.Model):
    """A file of shipped data that this library has loaded, so that the next start need not read it again."""

    name = models.CharField(max_length=200, unique=True)
    sha256 = models.CharField(max_length=64)
    loaded = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.sha256[:8]})"

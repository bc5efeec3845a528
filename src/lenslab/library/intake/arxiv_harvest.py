"""A part of arXiv, kept up to date: whole records over OAI-PMH, page by page, from where the last harvest ended."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import transaction

from lenslab.library.intake import record_intake
from lenslab.library.models import Harvest
from lenslab.papers.sources import arxiv_oai

if TYPE_CHECKING:
    from collections.abc import Callable

    from lenslab.http.client import HttpClient


@dataclass(slots=True)
class Harvested:
    """What a harvest did.

    Attributes:
        part: OAI-PMH's name of the part of arXiv; empty for all of it.
        since: The day from which it asked; empty for the beginning.
        until: The last day that it reached.
        unchanged: Records that say what they said before; pages of a harvest overlap.
        deleted: Ids that arXiv no longer has; what the library holds of them stays.
        rejected: Records that could not be read, with the reasons.
    """

    part: str
    since: str = ""
    until: str = ""
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: list[str] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)


def harvest(
    part: str,
    *,
    fetcher: HttpClient,
    since: str | None = None,
    until: str | None = None,
    log: Callable[[str], object] = str,
) -> Harvested:
    """Harvest what has changed in a part of arXiv.

    Each page is one transaction together with the place where to go on. A harvest that was stopped goes on with its
    token, or from the last day that it reached where arXiv no longer knows the token.

    Args:
        part: OAI-PMH's name of the part, for instance ``cs`` or ``cs:cs:CV``; empty for all of arXiv.
        fetcher: Asks arXiv.
        since: The first day, ``YYYY-MM-DD``; where it is not given, the harvest goes on from the last one of this part.
        until: The last day; today where it is not given.
        log: Gets a line after each page about how far it is.

    Raises:
        RefusedError: ArXiv refuses; the message names why.
        UnavailableError: ArXiv does not answer; what came is kept.
    """
    state = Harvest.objects.filter(part=part).first() if since is None else None
    begin, token = (state.datestamp, state.token) if state else (since or "", "")
    done = Harvested(part, since=begin, until=begin)
    pages = arxiv_oai.harvest(fetcher, since=begin or None, until=until, set_=part or None, token=token or None)
    for page in pages:
        with transaction.atomic():
            outcome = record_intake.add_records(page.descriptions)
            done.added += outcome.added
            done.changed += outcome.changed
            done.unchanged += len(page.descriptions) - outcome.added - outcome.changed
            done.deleted += page.deleted
            done.rejected += page.rejected
            done.until = max(done.until, page.datestamp)
            reached = {"datestamp": done.until, "token": page.token or "", "updated": dt.datetime.now(dt.UTC)}
            Harvest.objects.update_or_create(part=part, defaults=reached)
        number = done.added + done.changed + done.unchanged
        log(f"{number:,} record{'' if number == 1 else 's'}, up to {done.until or 'the beginning'}")
    return done

"""Opening the library: the database is made, brought up to date and filled on first use, by itself."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import django
from django.apps import apps
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from filelock import FileLock

from lenslab.library.errors import LibraryUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Any number that nobody else uses: PostgreSQL's advisory locks are named by numbers.
_ADVISORY_LOCK = 180602891
_within_process = threading.Lock()


def ready() -> None:
    """Make the library ready for use: Django set up, tables up to date, shipped papers loaded.

    Safe for any number of processes at once, one of which does the work while the others wait; cheap when there is
    nothing to do.

    Raises:
        LibraryUnavailableError: The database cannot be opened or written.
        ShippedDataError: The data that came with the package is damaged.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lenslab.web.settings")
    if not apps.ready:
        django.setup()
    try:
        _connect()
        if _is_current():
            return
        with _one_at_a_time():
            _bring_up_to_date()
    except (DatabaseError, OSError) as error:
        settings = connection.settings_dict  # as people know it, without its password
        place = f"{settings['NAME']}{' on ' + settings['HOST'] if settings.get('HOST') else ''}"
        raise LibraryUnavailableError(
            f"the library at {place} cannot be opened ({str(error).strip() or type(error).__name__}); "
            "name another with DATABASE_URL, for instance sqlite:////home/me/library.sqlite3"
        ) from error


def _is_current() -> bool:
    from lenslab.library.intake import shipped_library

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return False
    return all(shipped_library.is_loaded(data) for data in shipped_library.shipped_data())


def _bring_up_to_date() -> None:
    from django.core.management import call_command

    from lenslab.library.intake import shipped_library

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0)
    for data in shipped_library.shipped_data():
        if not shipped_library.is_loaded(data):
            shipped_library.load(data)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Hold a lock that threads, processes and, on PostgreSQL, machines respect."""
    with _within_process:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(%s)", [_ADVISORY_LOCK])
            try:
                yield
            finally:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock(%s)", [_ADVISORY_LOCK])
        elif (path := _sqlite_file()) is not None:
            with FileLock(f"{path}.opening"):
                yield
        else:
            yield


def _sqlite_file() -> Path | None:
    """Find the file of an SQLite database; none for databases in memory or elsewhere."""
    name = str(connection.settings_dict["NAME"])
    return Path(name) if connection.vendor == "sqlite" and name != ":memory:" and "mode=memory" not in name else None


def _connect() -> None:
    """Make the first connection. Of several that make a new file at once, SQLite would refuse all but one."""
    if (path := _sqlite_file()) is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.opening"):
            connection.ensure_connection()

"""The key that signs sessions: made once, kept in the user's data directory."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from platformdirs import user_data_path


def secret_key(path: Path | None = None) -> str:
    """Give the site's signing key, making it the first time.

    ``LENSLAB_SECRET_KEY`` in the environment wins. Otherwise the key is read from ``path``, which is created readable
    by its owner alone, by default in the user's data directory; several workers may call this at once, and all of them
    get the key of whichever came first, 50 characters or more.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as directory:
        ...     first = secret_key(Path(directory) / "key")
        ...     first == secret_key(Path(directory) / "key"), len(first) >= 50
        (True, True)
    """
    if given := os.environ.get("LENSLAB_SECRET_KEY"):
        return given
    path = path or user_data_path("lenslab") / "secret-key"
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        with os.fdopen(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(64))
        try:
            # A link fails where another worker was faster, and never shows a half-written key.
            os.link(beside, path)
        except FileExistsError:
            pass
        finally:
            beside.unlink()
    return path.read_text().strip()

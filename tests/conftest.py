"""What holds for every test."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("reproducible", derandomize=True, deadline=None)
settings.register_profile("searching", deadline=None)
settings.load_profile("reproducible" if os.environ.get("CI") else "searching")

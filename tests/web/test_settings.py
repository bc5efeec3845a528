"""Settings: safe as they come, and importing them writes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lenslab.web.secret_key import secret_key


def run(code: str, **environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LENSLAB_", "DATABASE_URL"))}
    clean |= {"DJANGO_SETTINGS_MODULE": "lenslab.web.settings", **environment}
    return subprocess.run(
        [sys.executable, "-c", code], env=clean, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_the_defaults_are_those_of_a_site_that_others_may_reach(tmp_path: Path) -> None:
    code = "from django.conf import settings as s; print(s.DEBUG, s.ALLOWED_HOSTS, s.RECORDS)"
    assert run(code, HOME=str(tmp_path)) == "False ['localhost', '127.0.0.1', '[::1]'] runs"


def test_the_environment_says_what_differs(tmp_path: Path) -> None:
    code = (
        "from django.conf import settings as s;"
        "print(s.ALLOWED_HOSTS, s.SESSION_COOKIE_SECURE, s.CSRF_TRUSTED_ORIGINS, s.SECRET_KEY);"
        "print(s.DATABASES['default']['NAME'])"
    )
    said = run(
        code,
        HOME=str(tmp_path),
        LENSLAB_HOSTS="papers.example, lab",
        LENSLAB_HTTPS="1",
        DATABASE_URL="sqlite:////tmp/elsewhere.sqlite3",
        LENSLAB_SECRET_KEY="given",
    )
    assert said.splitlines() == [
        "['papers.example', 'lab'] True ['https://papers.example', 'https://lab'] given",
        "/tmp/elsewhere.sqlite3",
    ]


def test_setting_django_up_writes_nothing(tmp_path: Path) -> None:
    run("import django; django.setup()", HOME=str(tmp_path), XDG_DATA_HOME=str(tmp_path / "data"))
    assert list(tmp_path.iterdir()) == []


def test_the_pages_load_neither_torch_nor_the_engine(tmp_path: Path) -> None:
    code = (
        "import sys, django; django.setup(); import lenslab.web.urls, lenslab.web.wsgi;"
        "print([m for m in sys.modules if m.split('.')[0] == 'torch' or m.startswith('lenslab.units')])"
    )
    assert run(code, HOME=str(tmp_path), LENSLAB_SECRET_KEY="x") == "[]"


def test_the_key_is_made_once_and_is_its_owner_s_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LENSLAB_SECRET_KEY", raising=False)
    path = tmp_path / "deep" / "key"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: secret_key(path), range(32)))
    assert len(keys) == 1
    assert len(keys.pop()) >= 50
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["key"]


def test_two_machines_have_two_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LENSLAB_SECRET_KEY", raising=False)
    assert secret_key(tmp_path / "one") != secret_key(tmp_path / "two")

import os
import subprocess
import sys

CODE = (
    "import django; django.setup(); import importlib, pkgutil, sys, lenslab.library as room; "
    "[importlib.import_module(found.name) for found in pkgutil.walk_packages(room.__path__, 'lenslab.library.') "
    "if '.migrations' not in found.name]; "
    "from lenslab.library import ready; "
    "print('torch' in sys.modules, any(name.startswith('lenslab.units') for name in sys.modules))"
)


def test_the_library_needs_neither_torch_nor_the_ablation_half():
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "lenslab.web.settings", "DATABASE_URL": "sqlite:///:memory:"}
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


def test_the_package_exports_ready_and_nothing_else():
    import lenslab.library

    assert lenslab.library.__all__ == ["ready"]
    assert callable(lenslab.library.ready)
    assert not hasattr(lenslab.library, "unready")

import sys

import pytest

from lenslab.units.errors import UnknownNetworkError, UnsupportedNetworkError
from lenslab.units.networks.user_networks import import_network

SOURCE = """
import torch
from torch import nn
def build():
    return nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(64, 3))
class Own:
    made = staticmethod(build)
def broken():
    raise RuntimeError("no such file: weights.bin")
def words():
    return "a network"
number = 3
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_networks.py").write_text(SOURCE)
    (tmp_path / "own_broken.py").write_text("1 / 0")
    (tmp_path / "own_dependent.py").write_text("import a_package_that_nobody_has")
    yield
    for name in ("own_networks", "own_broken", "own_dependent"):
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("name", ["own_networks:build", "own_networks:Own.made"])
def test_a_network_of_the_current_directory_is_made_in_eval_mode(name):
    path = list(sys.path)
    assert not any(part.training for part in import_network(name).modules())
    assert sys.path == path


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("own_networks:", UnknownNetworkError, "is not package.module:callable"),
        ("own_networks:bild", UnknownNetworkError, "own_networks has no 'bild'"),
        ("own_network:build", UnknownNetworkError, "no Python module named 'own_network'"),
        ("own_networks.deeper:build", UnknownNetworkError, "no Python module named 'own_networks.deeper'"),
        ("own_broken:build", UnsupportedNetworkError, "own_broken cannot be imported: ZeroDivisionError"),
        ("own_dependent:build", UnsupportedNetworkError, "No module named 'a_package_that_nobody_has'"),
        ("own_networks:broken", UnsupportedNetworkError, r"fails: RuntimeError: no such file: weights\.bin"),
        ("own_networks:words", UnsupportedNetworkError, "returns a str; expected a torch.nn.Module"),
        ("own_networks:number", UnsupportedNetworkError, "is a int; expected a callable"),
    ],
)
def test_what_cannot_be_made_is_one_message(name, error, message):
    path = list(sys.path)
    with pytest.raises(error, match=message):
        import_network(name)
    assert sys.path == path

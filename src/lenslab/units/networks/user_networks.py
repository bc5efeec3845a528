"""Networks of the user's own, named ``package.module:callable``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from torch import nn

from lenslab.units.errors import UnknownNetworkError, UnsupportedNetworkError


def import_network(name: str) -> nn.Module:
    """Import ``package.module:callable``, also from the current directory, and call it for a module in eval mode.

    Example:
        >>> import_network("torch.nn:Flatten")
        Flatten(start_dim=1, end_dim=-1)
    """
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise UnknownNetworkError(f"{name!r} is not package.module:callable")
    with _current_directory_first():
        try:
            made = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name and not f"{module_name}.".startswith(f"{error.name}."):
                raise UnsupportedNetworkError(f"{module_name} cannot be imported: {error}") from error
            raise UnknownNetworkError(
                f"no Python module named {error.name or module_name!r} (for the network {name!r}); it is looked for in "
                f"{Path.cwd()} and where Python finds its packages"
            ) from error
        except Exception as error:  # importing runs a stranger's code
            raise UnsupportedNetworkError(
                f"{module_name} cannot be imported: {type(error).__name__}: {error}"
            ) from error
        for part in attribute.split("."):
            if not hasattr(made, part):
                raise UnknownNetworkError(f"the Python module {module_name} has no {attribute!r}")
            made = getattr(made, part)
        if not callable(made):
            raise UnsupportedNetworkError(
                f"{name} is a {type(made).__name__}; expected a callable that makes a network"
            )
        try:
            network = made()
        except Exception as error:  # calling runs a stranger's code
            raise UnsupportedNetworkError(
                f"{name}() fails: {type(error).__name__}: {error}; name a callable that needs no arguments"
            ) from error
    if not isinstance(network, nn.Module):
        raise UnsupportedNetworkError(f"{name}() returns a {type(network).__name__}; expected a torch.nn.Module")
    return network.eval()


@contextmanager
def _current_directory_first() -> Iterator[None]:
    directory = str(Path.cwd())
    sys.path.insert(0, directory)
    try:
        yield
    finally:
        if directory in sys.path:
            sys.path.remove(directory)

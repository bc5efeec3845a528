from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.upstream import Corpus, Faults, Upstream
from tests.upstream.visitor import Visitor, visiting


@pytest.fixture
def visit(tmp_path: Path) -> Iterator[Callable[..., tuple[Visitor, Upstream]]]:
    """Starts an upstream and a visitor of it."""
    with ExitStack() as stack:

        def start(corpus: Corpus, faults: Faults | None = None, attempts: int = 6, **options: Any) -> Any:
            server = stack.enter_context(Upstream(corpus, faults=faults, **options))
            visitor = stack.enter_context(visiting(server, tmp_path, attempts=attempts))
            return visitor, server

        yield start

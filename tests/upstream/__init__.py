"""An honest upstream: arXiv, Semantic Scholar and OpenAlex on one's own machine, with their faults.

::

    with Upstream(corpus(citations=113), faults=Faults.random(seed=7, count=30)) as server:
        subprocess.run(["lenslab", ...], env={**os.environ, **server.environment})
        assert server.log[0].service == "arXiv API"
"""

from tests.upstream.corpus import Corpus, Edge, Entry, corpus
from tests.upstream.faults import Fault, Faults
from tests.upstream.server import Asked, Upstream

__all__ = ["Asked", "Corpus", "Edge", "Entry", "Fault", "Faults", "Upstream", "corpus"]

"""What can go wrong in ``lenslab.papers``, and what to do about it.

::

    PapersError
    ├── ArxivIdError (ValueError)      a name that no arXiv paper can have
    └── FrequenciesError (ValueError)  document frequencies that cannot be read or made
"""


class PapersError(Exception):
    """Anything that ``lenslab.papers`` refuses, with one message that names the thing and the next step."""


class ArxivIdError(PapersError, ValueError):
    """A name that no arXiv paper can have."""


class FrequenciesError(PapersError, ValueError):
    """Document frequencies that cannot be read or made."""

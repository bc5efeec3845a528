"""What can go wrong in ``lenslab.papers``, and what to do about it; what goes wrong on the way is ``lenslab.http``'s.

::

    PapersError
    ├── ArxivIdError (ValueError)          a name that no arXiv paper can have
    ├── DoiError (ValueError)              a name that no DOI can be
    ├── FileError (OSError)                a file that is not there or cannot be read
    ├── FrequenciesError (ValueError)      document frequencies that cannot be read or made
    ├── MalformedError (ValueError)        a record, file or answer that is not what its source writes
    ├── UnknownVersionError (LookupError)  a version that the paper does not have
    └── WorkNameError (ValueError)         a name that names no work at the source that is asked
"""


class PapersError(Exception):
    """Anything that ``lenslab.papers`` refuses, with one message that names the thing and the next step."""


class ArxivIdError(PapersError, ValueError):
    """A name that no arXiv paper can have."""


class DoiError(PapersError, ValueError):
    """A name that no DOI can be."""


class FileError(PapersError, OSError):
    """A file that is not there or cannot be read."""


class FrequenciesError(PapersError, ValueError):
    """Document frequencies that cannot be read or made."""


class MalformedError(PapersError, ValueError):
    """A record, file or answer that is not what its source writes."""


class UnknownVersionError(PapersError, LookupError):
    """A version that the paper does not have."""


class WorkNameError(PapersError, ValueError):
    """A name that names no work at the source that is asked."""

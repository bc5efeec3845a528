"""What can go wrong in ``lenslab.papers``, and what to do about it.

::

    PapersError
    ├── ArxivIdError (ValueError)      a name that no arXiv paper can have
    ├── DoiError (ValueError)          a name that no DOI can be
    ├── FileError (OSError)            a file that is not there or cannot be read
    ├── FrequenciesError (ValueError)  document frequencies that cannot be read or made
    ├── MalformedError (ValueError)    a record, file or answer that is not what its source writes
    ├── NotFoundError (LookupError)    a work that the source does not know
    ├── PaceError (OSError)            the queue of requests to a source cannot be kept
    ├── SourceError (OSError)          a source that does not answer, or refuses to
    │   └── RefusedError               a source that answers, and refuses what it was asked
    └── WorkNameError (ValueError)     a name that names no work at the source that is asked
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


class NotFoundError(PapersError, LookupError):
    """A work that the source does not know."""


class SourceError(PapersError, OSError):
    """A source that does not answer, or refuses to, however often it is asked."""


class PaceError(PapersError, OSError):
    """The queue of requests to a source cannot be kept."""


class RefusedError(SourceError):
    """A source that answers, and refuses what it was asked; asking again would not help.

    Args:
        message: Who refuses what, and what to do.
        status: The HTTP status of the answer.
        code: The source's own name of the error, where it has one.
    """

    def __init__(self, message: str, *, status: int = 200, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class WorkNameError(PapersError, ValueError):
    """A name that names no work at the source that is asked."""

"""What can go wrong in ``lenslab.library``, and what to do about it.

::

    LibraryError
    ├── UnknownPaperError (LookupError)    no work of that name in the library
    ├── LibraryUnavailableError (OSError)  the database cannot be opened or written
    ├── MergeError (ValueError)            works that cannot be merged or taken apart
    ├── ShippedDataError (ValueError)      the data that came with the package is damaged
    ├── UnknownFormatError (ValueError)    a file that is none of the formats that can be imported
    └── NotAListError (ValueError)         a file would be replaced by a list of rejects, and is none
"""


class LibraryError(Exception):
    """Anything that ``lenslab.library`` refuses, with one message that names the thing and the next step."""


class UnknownPaperError(LibraryError, LookupError):
    """No work of that name is in the library."""


class LibraryUnavailableError(LibraryError, OSError):
    """The database cannot be opened or written."""


class ShippedDataError(LibraryError, ValueError):
    """The data that came with the package is damaged."""


class MergeError(LibraryError, ValueError):
    """Works that cannot be merged or taken apart."""


class UnknownFormatError(LibraryError, ValueError):
    """A file that is none of the formats that can be imported."""


class NotAListError(LibraryError, ValueError):
    """A file would be replaced by a list of rejected entries, and is none."""

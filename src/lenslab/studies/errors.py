"""What can go wrong in ``lenslab.studies``, and what to do about it.

::

    StudiesError
    ├── UnknownStudyError  (LookupError)  no study of that paper
    ├── BrokenRulesError   (ValueError)   a rules file that cannot be followed
    └── BrokenStudyError   (ValueError)   a study's record that is not what it says it is
"""


class StudiesError(Exception):
    """Anything that ``lenslab.studies`` refuses, with one message that names the thing and the next step."""


class UnknownStudyError(StudiesError, LookupError):
    """There is no study of that paper; the message lists those there are."""


class BrokenRulesError(StudiesError, ValueError):
    """A rules file is damaged or leaves something open; the message names the file and the field."""


class BrokenStudyError(StudiesError, ValueError):
    """A study's record lacks a field or holds something else in it; the message names the record and the field."""

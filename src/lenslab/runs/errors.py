"""What can go wrong with a finished run, and what to do about it.

::

    UnitsError                              the base of all errors of measuring and of reading what was measured
    ├── InterventionError    (ValueError)   a replacement, basis, sets or draws that do not exist or do not go together
    ├── LabelError           (ValueError)   a class or label that there is not
    ├── NotARunError         (ValueError)   something that is not a run, where one is asked for
    ├── NotOfUnitsError      (ValueError)   a run of sets or directions where one of single units is needed
    ├── UnknownOrderError    (LookupError)  no such order to silence units in
    └── UnknownSiteError     (LookupError)  no site of that name
"""


class UnitsError(Exception):
    """Anything that ``lenslab.units`` and ``lenslab.runs`` refuse: one message names the thing and the next step."""


class InterventionError(UnitsError, ValueError):
    """A replacement, basis, set of units or number of draws that does not exist, or two that do not go together."""


class LabelError(UnitsError, ValueError):
    """A label that is not a class: negative, missing, not an integer, or without a logit."""


class NotARunError(UnitsError, ValueError):
    """Something that is not the record of a run, or a study's record without its run."""


class NotOfUnitsError(UnitsError, ValueError):
    """A run that silenced sets of units or directions, asked for what only a run of single units can say."""


class UnknownOrderError(UnitsError, LookupError):
    """No such order to silence units in, or one that leaves no image to read; the message lists the orders."""


class UnknownSiteError(UnitsError, LookupError):
    """No site of that name in this network; the message says the nearest name and how to list them."""

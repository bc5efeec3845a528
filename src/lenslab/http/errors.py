"""What can go wrong on the network, and what to do about it.

::

    HttpError
    ├── NotFoundError (LookupError)     what a service does not know
    ├── RateLimitError (OSError)        the queue of requests to a service cannot be kept
    ├── ResponseBodyError (ValueError)  a body that is too long, cut off, or in an encoding that was not asked for
    └── UnavailableError (OSError)      a service that cannot be asked or does not answer
        └── RefusedError                a service that answers, and refuses the request
"""


class HttpError(Exception):
    """Anything that goes wrong with a service, with one message that names the service and the next step."""


class NotFoundError(HttpError, LookupError):
    """What a service does not know."""


class RateLimitError(HttpError, OSError):
    """The queue of requests to a service cannot be kept."""


class ResponseBodyError(HttpError, ValueError):
    """A body that is too long, cut off, or in an encoding that was not asked for."""


class UnavailableError(HttpError, OSError):
    """A service that does not answer, however often it is asked, or whose address or key cannot be one."""


class RefusedError(UnavailableError):
    """A service that answers, and refuses the request; asking again would not help.

    Args:
        message: Who refuses what, and what to do.
        status: The HTTP status of the answer.
        code: The service's own name of the error, where it has one.
    """

    def __init__(self, message: str, *, status: int = 200, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code

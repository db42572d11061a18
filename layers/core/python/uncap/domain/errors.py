"""Every error uncap raises on purpose: one tree, each with a stable machine `code`.

Who uses it: all layers raise these; `routes/problems.py` holds the one table from code to HTTP status.

    UncapError
    ├── InputError            the caller sent something that cannot be right (4xx)
    │   ├── CodeForgedError       not a code we issued; one uniform answer, no detail
    │   └── NotFoundError         well formed, but there is no such thing
    ├── ConflictError         right in itself, but at odds with what is recorded
    ├── AuthError             who are you? (401)
    ├── ForbiddenError        you may not (403)
    ├── LimitError            enough for now; says when to come back (429)
    ├── PoisonError           a stream record or message that can never be processed: park it
    └── TransientError        try the same again: throttled, timed out, unavailable
"""


class UncapError(Exception):
    """Base of the tree. `code` is for machines and stable; `message` is for people; `where` names the field or line."""

    def __init__(self, code: str, message: str, *, where: str = "") -> None:
        super().__init__(f"{code}: {message}" + (f" (at {where})" if where else ""))
        self.code = code
        self.message = message
        self.where = where


class InputError(UncapError):
    """The request cannot be right as it stands."""


class CodeForgedError(InputError):
    """The serial was not issued by this brand. Never says why: a guesser learns nothing."""

    def __init__(self) -> None:
        super().__init__("code_not_issued", "This code was not issued by the brand.")


class NotFoundError(InputError):
    """Nothing is recorded under this identifier."""


class ConflictError(UncapError):
    """The request contradicts what is already recorded."""


class AuthError(UncapError):
    """No valid session or credential."""


class ForbiddenError(UncapError):
    """The session is valid and its role does not allow this."""


class LimitError(UncapError):
    """Refused for having had enough, and nothing was used up; may succeed after `retry_after_s`."""

    def __init__(self, code: str, message: str, *, retry_after_s: int) -> None:
        super().__init__(code, message)
        self.retry_after_s = retry_after_s


class PoisonError(UncapError):
    """A record or message that no retry can heal; it is parked with this reason."""


class TransientError(UncapError):
    """The same call may succeed later; nothing was decided."""

"""What can go wrong, said so that a person or a program can act on it.

Every error that leaves the engine is a ``ScgError``. Its facts are fields, so that tests and
callers compare values and not prose; its docstring says what to do next. ``code`` is published
and never reused, ``status`` is a hint for whoever speaks HTTP, ``retry`` says whether the same
call may succeed later without a change.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from attrs import field, frozen

from scg_core.kernel.instant import Instant


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(names)


@frozen
class ScgError(Exception):
    """Something the engine refuses or could not do."""

    code: ClassVar[int] = 500
    status: ClassVar[int] = 500
    retry: ClassVar[bool] = False

    def __str__(self) -> str:
        return (self.__doc__ or "").splitlines()[0]


@frozen
class InvalidField(ScgError):
    """A value breaks a rule; correct the field and send it again."""

    code: ClassVar[int] = 400
    status: ClassVar[int] = 400

    field: str
    rule: str
    error_code: int = 400

    def __str__(self) -> str:
        return f"{self.field}: {self.rule}"


@frozen
class Unauthorized(ScgError):
    """The token is missing, unknown, revoked or expired; ask for a new one."""

    code: ClassVar[int] = 401
    status: ClassVar[int] = 401


@frozen
class InsufficientCredit(ScgError):
    """The company's credit does not cover this; pay in, or send to fewer recipients."""

    code: ClassVar[int] = 402
    status: ClassVar[int] = 402

    needed: int
    left: int

    def __str__(self) -> str:
        return f"it may cost {self.needed / 1e6:g}, the credit left is {self.left / 1e6:g}"


@frozen
class Forbidden(ScgError):
    """The caller may not do this; ask the operator for it."""

    code: ClassVar[int] = 403
    status: ClassVar[int] = 403

    field: str
    rule: str

    def __str__(self) -> str:
        return f"{self.field}: {self.rule}"


@frozen
class NotFound(ScgError):
    """There is no such resource in your company; check the id."""

    code: ClassVar[int] = 404
    status: ClassVar[int] = 404

    kind: str
    id: str

    def __str__(self) -> str:
        return f"no {self.kind} has the id {self.id!r}"


@frozen
class IllegalTransition(ScgError):
    """The resource is in a state that does not allow this; read it again and choose another."""

    code: ClassVar[int] = 409
    status: ClassVar[int] = 409

    kind: str
    current: str
    wanted: str
    allowed: tuple[str, ...] = field(converter=_names)

    def __str__(self) -> str:
        allowed = ", ".join(self.allowed) or "nothing"
        return f"{self.kind} is {self.current}: {self.wanted} is not possible, only {allowed}"


@frozen
class StaleData(ScgError):
    """The resource changed since you read it; read it again and retry."""

    code: ClassVar[int] = 1001
    status: ClassVar[int] = 409
    retry: ClassVar[bool] = True

    kind: str
    id: str
    seen: int
    current: int

    def __str__(self) -> str:
        return f"{self.kind} {self.id} is at version {self.current}, you sent {self.seen}"


@frozen
class Duplicate(ScgError):
    """Another resource holds this value, which must be unique; choose another value."""

    code: ClassVar[int] = 1011
    status: ClassVar[int] = 409

    kind: str
    fields: tuple[str, ...] = field(converter=_names)

    def __str__(self) -> str:
        return f"another {self.kind} has the same {', '.join(self.fields)}"


@frozen
class LeaseLost(ScgError):
    """The lease ran out and another worker took the work; drop what you hold."""

    code: ClassVar[int] = 500
    status: ClassVar[int] = 503
    retry: ClassVar[bool] = True

    work: str
    fence: int


@frozen
class ContentUnavailable(ScgError):
    """The place where files lie cannot be reached now; try again."""

    code: ClassVar[int] = 503
    status: ClassVar[int] = 503
    retry: ClassVar[bool] = True

    reason: str

    def __str__(self) -> str:
        return f"files cannot be reached: {self.reason}"


@frozen
class StorageUnavailable(ScgError):
    """The storage did not answer in time; nothing was stored, try again."""

    code: ClassVar[int] = 503
    status: ClassVar[int] = 503
    retry: ClassVar[bool] = True

    reason: str

    def __str__(self) -> str:
        return f"the storage is not available: {self.reason}"


@frozen
class TooBroad(ScgError):
    """The question looks at too much; narrow it by id, request, address or created_date."""

    code: ClassVar[int] = 400
    status: ClassVar[int] = 400

    seconds: float

    def __str__(self) -> str:
        return (
            f"the question was given up after {self.seconds:g} seconds; narrow it by id, request, "
            "address or created_date, or ask without a sort"
        )


@frozen
class ForeignStorage(ScgError):
    """The file is damaged or belongs to another program; give the engine a file of its own."""

    code: ClassVar[int] = 500

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path} cannot be used: {self.reason}"


@frozen
class TransportUnavailable(ScgError):
    """The carrier cannot be reached and nothing was handed over; it is tried again later."""

    code: ClassVar[int] = 503
    status: ClassVar[int] = 503
    retry: ClassVar[bool] = True

    connector: str
    retry_at: Instant | None = None


@frozen
class VoiceRefused(ScgError):
    """The switch refuses this for good; what was asked for does not come about."""

    code: ClassVar[int] = 409
    status: ClassVar[int] = 409

    reason: str
    cause: str = "FAILED"

    def __str__(self) -> str:
        return self.reason


@frozen
class BrokenInvariant(ScgError):
    """A host used the engine inside one of its own transactions; make one call at a time."""

    code: ClassVar[int] = 500

    rule: str

    def __str__(self) -> str:
        return self.rule

"""What a judge of a recording says: broken, with the calls that show it; or too thin to say anything."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pytest_taskq.checkers import Judgement, check_conservation
from pytest_taskq.checkers.by_name import Ways
from pytest_taskq.contract import Status
from pytest_taskq.history import SECOND, Kind, Operation
from pytest_taskq.subject.violation import InconclusiveError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_taskq.recording.stage import Recording
    from pytest_taskq.subject import Subject

_STATUSES = frozenset(Status)


class Thin(Exception):  # noqa: N818 - a recording that proves nothing, not an error
    """Too little met in the recording."""


class Unshared(Exception):  # noqa: N818 - the same
    """The store is not shared between processes."""


class Broken(Exception):  # noqa: N818 - a finding
    """The recording breaks the requirement; ``operations`` with ``checks`` and ``ways`` show it again from a file.

    ``witness`` are those of the operations that prove it, as far as they are known one by one.
    """

    figures: Mapping[str, Any] = MappingProxyType({})  # beside the calls, as data

    def __init__(
        self,
        expected: str,
        seen: str,
        operations: Iterable[Operation],
        *,
        checks: tuple[str, ...] = (),
        ways: Ways | None = None,
        witness: Sequence[Operation] = (),
    ) -> None:
        super().__init__(f"expected {expected}; seen {seen}")
        self.expected = expected
        self.seen = seen
        self.operations = tuple(operations)
        self.checks = checks
        self.ways = ways or Ways()
        self.witness = witness


def nanoseconds(subject: Subject) -> int:
    """Return the promised precision."""
    return round(subject.promises.time_precision * SECOND)


def at_most(count: int, what: str) -> str:
    """Return the rule of three: what is excluded with 95 % confidence when none of ``count`` went wrong."""
    return f"at 95 %, fewer than {3 / max(count, 1):.2%} of such {what} go wrong"


def enough(count: int, floor: int, what: str) -> None:
    """Raise Thin if ``count`` is below its floor."""
    if count < floor:
        raise Thin(f"only {count} {what}, and fewer than {floor} prove nothing")


def nothing_raised(recording: Recording, subject: Subject, kinds: Sequence[Kind], *, locks_only: bool = False) -> None:
    """Raise Broken for a call of ``kinds`` that raised, unless it is a lock waited for as long as was promised."""
    for one in recording.operations:
        if one.error and one.kind in kinds and not _excused(one, subject) and (is_lock_error(one) or not locks_only):
            length = ((one.returned or one.call) - one.call) / SECOND
            what = "no lock error" if is_lock_error(one) else "no error"
            expected = f"{what} before the busy timeout of {subject.promises.busy_timeout:g} s"
            seen = f"{one.kind} raised after {length:.3f} s: {one.error}\n  {one}"
            raise Broken(expected, seen, recording.operations, witness=(one,))


_LOCKS = ("QueueBusyError", "locked", "busy", "deadlock", "serializ", "SerializationFailure", "LockNotAvailable")


def is_lock_error(one: Operation) -> bool:
    """Whether a call raised because others were in the way."""
    return any(word.lower() in one.error.lower() for word in _LOCKS)


def _excused(one: Operation, subject: Subject) -> bool:
    # What is measured outside the call is longer than the wait; the tenth is for waits that are added up from pauses.
    return is_lock_error(one) and (one.returned or 0) - one.call >= 0.9 * subject.promises.busy_timeout * SECOND


def need(judgement: Judgement, what: str) -> None:
    """Raise InconclusiveError if what a judgement presupposes does not hold."""
    if not judgement.legal:
        raise InconclusiveError(f"{what} cannot be judged on this history, which breaks another rule: {judgement}")


def all_there(recording: Recording, *, enqueues_alone: bool = False) -> None:
    """Raise Broken unless the store holds every acknowledged task once, in a status of the contract."""
    if recording.rows is None:
        return
    operations = [one for one in recording.operations if one.kind is Kind.ENQUEUE or not enqueues_alone]
    ours = [row for row in recording.rows if row.task is not None]
    judgement = check_conservation(operations, [row.task for row in ours if row.task is not None])
    if judgement.rule is not None:
        ways = Ways(left=recording.left)
        raise Broken(
            "every acknowledged task is stored once",
            judgement.seen,
            operations,
            checks=("conservation",),
            ways=ways,
            witness=judgement.witness,
        )
    odd = next((row for row in ours if row.status not in _STATUSES), None)
    if odd is not None and not enqueues_alone:
        raise Broken(f"a status of {sorted(_STATUSES)}", f"task {odd.task!r} is {odd.status!r}", operations)

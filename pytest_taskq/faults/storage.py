"""One call during which the storage fails, and what the same process makes of its queue afterwards."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_taskq.faults.aftermath import rescue
from pytest_taskq.faults.evidence import arrowed
from pytest_taskq.faults.file_calls import CANTOPEN, FULL, IOERR, READONLY, SKIPPED, FileCall, file_calls_told
from pytest_taskq.faults.rules import Breach, Left
from pytest_taskq.faults.survivors import integrity_problem, read_rows
from pytest_taskq.faults.sweep import Watch, seeded
from pytest_taskq.faults.switched import Switched
from pytest_taskq.sqlite.statements import HOOK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq.faults.file_calls import Kind
    from pytest_taskq.faults.operations import Operation
    from pytest_taskq.faults.rules import Scene
    from pytest_taskq.faults.survivors import Rows
    from pytest_taskq.subject import Bench, Outcome, QueueUnderTest

_NO_ROOM_FOR_INDEX = 4874  # SQLITE_IOERR_SHMSIZE: what a full disk says to the index of a WAL


@dataclass(frozen=True, slots=True)
class Fault:
    """A way in which storage fails: which calls on files, with which codes, and whether it goes on failing."""

    name: str
    codes: Mapping[Kind, int]
    lasting: bool

    def concerns(self, call: FileCall) -> bool:
        """Whether this call would fail; read-only storage can be opened for reading."""
        return call.kind in self.codes and (call.kind != "open" or call.flag)


FAULTS = (
    Fault("the disk is full", {"write": FULL, "map": _NO_ROOM_FOR_INDEX}, lasting=True),
    Fault("an I/O error strikes once", IOERR, lasting=False),
    Fault("the storage turns read-only", {"write": READONLY, "truncate": READONLY, "open": CANTOPEN}, lasting=True),
)


@dataclass
class Striking(Switched):
    """Lets ``fault`` strike at the ``at``-th call that it concerns, from 1; without a fault it only takes note."""

    fault: Fault | None
    at: int
    statements: list[str]
    folder: str = ""
    seen: list[FileCall] = field(default_factory=list)
    concerned: int = 0
    struck: list[tuple[int, FileCall]] = field(default_factory=list)

    def before(self, call: FileCall) -> int:
        """Return the code to fail with; else let the call be made, and leave out a sync."""
        fine = SKIPPED if call.kind == "sync" else 0
        if not self.active or not call.path.startswith(self.folder):
            return fine
        self.seen.append(call)
        if self.fault is None or not self.fault.concerns(call):
            return fine
        self.concerned += 1
        if self.concerned < self.at or (self.concerned > self.at and not self.fault.lasting):
            return fine
        self.struck.append((len(self.statements), call))
        return self.fault.codes[call.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """One call: what it came to, its calls on files, the rows right after, and what is wrong, if anything is."""

    outcome: Outcome
    calls: tuple[FileCall, ...]
    struck: bool
    after: Rows
    breach: Breach | None
    lines: tuple[str, ...]


def strike(
    bench: Bench,
    operation: Operation,
    *,
    seed: int,
    fault: Fault | None = None,
    at: int = 0,
    undisturbed: Rows | None = None,
) -> Struck:
    """Make the call on a fresh store while the fault strikes; ``undisturbed`` is what one without gave."""
    watch = Watch(lambda _: None)
    plan = Striking(fault, at, watch.statements)
    with file_calls_told(plan), HOOK.telling(watch), bench.queue() as queue, seeded(seed):
        plan.folder = os.path.realpath(queue.path.parent)
        scene = operation.prepare(queue)
        before, lines = read_rows(queue, scene.known), queue.transcript.lines
        with watch.on(), plan.on():
            outcome = operation.call(queue, scene)
        scene.result = outcome.result
        now = read_rows(queue, operation.known_after(scene))
        left = Left(before=before, now=now, after=undisturbed or now, acknowledged=outcome.error is None)
        breach = hidden(operation, outcome) or operation.rule(left, scene) or goes_on(queue, operation, scene)
    return Struck(
        outcome=outcome,
        calls=tuple(plan.seen),
        struck=bool(plan.struck),
        after=now,
        breach=breach,
        lines=(*lines, *_struck_lines(plan, outcome)),
    )


def hidden(operation: Operation, outcome: Outcome) -> Breach | None:
    """An error is told, not returned as a result."""
    if outcome.error is not None or operation.succeeded(outcome.result):
        return None
    return Breach("an error that says what happened", f"{outcome.call} returns {outcome.result!r}, as if nothing had")


def goes_on(queue: QueueUnderTest, operation: Operation, scene: Scene) -> Breach | None:
    """The fault being gone, the same call works, and every open task is claimable, in the same process."""
    known = operation.known_after(scene)
    again = operation.call(queue, scene)
    if again.error is not None:
        return Breach("the queue works again when the fault is gone", str(again))
    scene.result = again.result
    problem = integrity_problem(queue)
    if problem:
        return Breach("the file is whole", problem)
    return rescue(queue, [*known, *operation.enqueued(scene)])


def _struck_lines(plan: Striking, outcome: Outcome) -> list[str]:
    head = f"then {outcome.call}, statement by statement:"
    if plan.fault is None or not plan.struck:
        return [head, *plan.statements]
    number, call = plan.struck[0]
    what = f"{call.kind} of {os.path.basename(call.path)}"  # noqa: PTH119 - a path as SQLite gave it
    arrow = f"===> {plan.fault.name}: {what} fails with SQLite's code {plan.fault.codes[call.kind]}"
    return [head, *arrowed(plan.statements, number, arrow), f"it came to: {outcome}"]

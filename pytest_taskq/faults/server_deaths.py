"""One call on a store on a server whose client dies between two of its statements.

What a client leaves that dies is what its server keeps: it undoes what was not committed. So the code's connections
are ended, as the server does when their socket closes, and the code itself gets no further statement through.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pytest_taskq.faults.aftermath import Aftermath
from pytest_taskq.faults.real_death import killed_on
from pytest_taskq.faults.survivors import read_rows
from pytest_taskq.faults.sweep import OutOfReachError, Recording, Watch, die, seeded
from pytest_taskq.postgres.statements import HOOK
from pytest_taskq.postgres.stores import ServerStore
from pytest_taskq.subject.violation import Died, InconclusiveError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_taskq.faults.operations import Operation
    from pytest_taskq.faults.rules import Breach, Scene
    from pytest_taskq.faults.survivors import Rows
    from pytest_taskq.statements import Statement
    from pytest_taskq.subject import Bench, Outcome, QueueUnderTest


class ServerWatch(Watch):
    """Counts the statements of one call; ``at_boundary`` is told each before it is sent, and may raise Died.

    Once it has, every statement raises Died: a dead process does not clean up.
    """

    def __init__(self, at_boundary: Callable[[int, Statement], None]) -> None:
        super().__init__(lambda _: None)
        self._before = at_boundary
        self.dead = False
        self.connections: list[Any] = []
        self.missed = False

    @property
    def backends(self) -> list[int]:
        """The server processes of the connections that were opened."""
        return [one.pgconn.backend_pid for one in self.connections if not one.closed]

    def opened(self, connection: Any, *, rows_seen: bool) -> None:  # noqa: ANN401 - of either kind
        """Keep it, so that it can be ended."""
        del rows_seen
        self.connections.append(connection)

    def begins(self, statement: Statement) -> None:
        """Take one statement before it is sent."""
        if not self.active:
            return
        if self.dead:
            raise Died
        try:
            self._before(len(self.statements), statement)
        except Died:
            self.dead = True
            raise
        super().begins(statement)

    def aside(self, statement: Statement) -> None:
        """Nothing: it goes with another."""

    def unseen(self) -> None:
        """Nothing: what the code learns does not matter here."""

    def met(self, connection: object) -> None:
        """Note that a statement went past."""
        del connection
        self.missed = True

    def sent(self, backend: int) -> None:
        """Nothing: the server is asked for no more than one thing at a time."""

    def answered(self) -> None:
        """Nothing."""

    def closed(self, backend: int) -> None:
        """Nothing."""

    def end(self, store: ServerStore) -> None:
        """End what is still open, and free what the process of the kit holds of it."""
        store.end_connections(self.backends)
        for connection in self.connections:
            connection.pgconn.finish()


def dies_at(number: int | None) -> Callable[[int, Statement], None]:
    """Return what a watch is given for a death before statement ``number``, from 0; None for none."""

    def at_boundary(reached: int, _: Statement) -> None:
        if reached == number:
            raise Died

    return at_boundary


def store_of(queue: QueueUnderTest) -> ServerStore:
    """Return the store, which is on a server."""
    store = queue.store
    assert isinstance(store, ServerStore)  # noqa: S101 - asked for on that back end alone
    return store


def made(queue: QueueUnderTest, operation: Operation, watch: ServerWatch) -> tuple[Scene, Rows, Outcome | None]:
    """Prepare and make the call; return what it met and what it came to, None if its process died."""
    scene = operation.prepare(queue)
    before = read_rows(queue, scene.known)
    return scene, before, called(queue, operation, scene, watch)


def called(queue: QueueUnderTest, operation: Operation, scene: Scene, watch: ServerWatch) -> Outcome | None:
    """Make the call; None if its process died."""
    with watch.on():
        try:
            outcome = operation.call(queue, scene)
        except (Died, Exception):
            if not watch.dead:
                raise
    if watch.dead:  # whatever its handlers made of that
        return None
    scene.result = outcome.result
    return outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """The call that nobody cut short: its statements, the rows after it, and what is wrong without any death."""

    recording: Recording
    before: Rows
    after: Rows
    undisturbed: Breach | None


def whole_call(bench: Bench, operation: Operation, *, seed: int) -> Whole:
    """Make the call on a fresh store. Raises NotJudgedError if it does not succeed or cannot be seen."""
    watch = ServerWatch(dies_at(None))
    with HOOK.telling(watch), bench.queue() as queue, seeded(seed):
        began = queue.clock.milliseconds
        scene = operation.prepare(queue)
        before = read_rows(queue, scene.known)
        lines, moment = queue.transcript.lines, queue.clock.milliseconds
        outcome = called(queue, operation, scene, watch)
        assert outcome is not None  # noqa: S101 - nobody dies
        operation.require_success(outcome)
        after = read_rows(queue, operation.known_after(scene))
        if watch.missed or (not watch.statements and before != after):
            raise OutOfReachError(
                f"not all statements of {outcome.call} were seen: its connection is not one that psycopg 3 opened "
                "for this adapter"
            )
        recording = Recording(
            operation=operation,
            start={},
            began=began,
            moment=moment,
            scene=scene,
            outcome=outcome,
            statements=tuple(watch.statements),
            boundaries=(),
            lines=tuple(lines),
        )
        undisturbed = None
        if operation.key is not None:
            undisturbed = Aftermath(bench, recording, before, after).again(queue.another(), after)
    return Whole(recording=recording, before=before, after=after, undisturbed=undisturbed)


def breach_of_death(bench: Bench, whole: Whole, number: int, *, seed: int) -> Breach | None:
    """Return what is wrong after the client died at a boundary of the same call on a fresh store, None if nothing is.

    Raises InconclusiveError if the call goes another way than it did.
    """
    operation, watch = whole.recording.operation, ServerWatch(dies_at(number))
    with HOOK.telling(watch), bench.queue() as queue, seeded(seed):
        scene, before, outcome = made(queue, operation, watch)
        watch.end(store_of(queue))
        queue.abandon()
        last = len(whole.recording.statements)
        repeated = (outcome is None) == (number < last) and len(watch.statements) == number
        if not repeated or before.keys() != whole.before.keys():
            raise InconclusiveError(f"{whole.recording.outcome.call} did not repeat itself on a fresh store")
        aftermath = Aftermath(bench, replace(whole.recording, scene=scene), before, whole.after)
        return aftermath.breach_in(queue.another(), acknowledged=outcome is not None)


def breach_of_real_death(bench: Bench, whole: Whole, number: int, job: dict[str, Any]) -> Breach | None:
    """Return the same of a process of its own that was killed there."""
    with bench.queue() as queue:
        killed_on(bench, store_of(queue), whole.recording.began, job | {"die_at": number})
        bench.clock.milliseconds = whole.recording.moment
        aftermath = Aftermath(bench, whole.recording, whole.before, whole.after)
        return aftermath.breach_in(queue, acknowledged=number == len(whole.recording.statements))


def die_on(bench: Bench, operation: Operation, store: ServerStore, *, seed: int, die_at: int) -> None:
    """Make the call on ``store`` in this process and end the process at that boundary."""

    def at_boundary(number: int, _: Statement) -> None:
        if number == die_at:
            die()

    watch = ServerWatch(at_boundary)
    with HOOK.telling(watch), bench.on(store) as queue, seeded(seed):
        made(queue, operation, watch)
        die()

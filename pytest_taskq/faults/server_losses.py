"""One call during which a connection is lost between two statements, and what the same process makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.faults.evidence import arrowed
from pytest_taskq.faults.rules import Left
from pytest_taskq.faults.server_deaths import ServerWatch, called
from pytest_taskq.faults.storage import Struck, goes_on, hidden
from pytest_taskq.faults.survivors import read_rows
from pytest_taskq.faults.sweep import seeded
from pytest_taskq.postgres.server import connected, end_backends
from pytest_taskq.postgres.statements import HOOK

if TYPE_CHECKING:
    from pytest_taskq.faults.operations import Operation
    from pytest_taskq.faults.survivors import Rows
    from pytest_taskq.statements import Statement
    from pytest_taskq.subject import Bench

_ARROW = "===> the server ends this connection"


def lose_connection(bench: Bench, operation: Operation, whole: Rows, *, seed: int, at: int) -> Struck:
    """Make the call on a fresh store; the server ends the connection that is to run statement ``at``, from 0.

    ``whole`` is what the call leaves that nobody disturbs.
    """
    struck: list[int] = []

    def at_boundary(number: int, statement: Statement) -> None:
        if number == at and not struck:
            struck.append(number)
            with connected(dsn) as kit:
                end_backends(kit, [statement.connection.pgconn.backend_pid])

    watch = ServerWatch(at_boundary)
    with HOOK.telling(watch), bench.queue() as queue, seeded(seed):
        dsn = queue.dsn
        scene = operation.prepare(queue)
        before, lines = read_rows(queue, scene.known), queue.transcript.lines
        outcome = called(queue, operation, scene, watch)
        assert outcome is not None  # noqa: S101 - nobody dies
        now = read_rows(queue, operation.known_after(scene))
        left = Left(before=before, now=now, after=whole, acknowledged=outcome.error is None)
        breach = hidden(operation, outcome) or operation.rule(left, scene) or goes_on(queue, operation, scene)
    head = f"then {outcome.call}, statement by statement:"
    return Struck(
        outcome=outcome,
        calls=(),
        struck=bool(struck),
        after=now,
        breach=breach,
        lines=(*lines, head, *arrowed(watch.statements, at, _ARROW), f"it came to: {outcome}"),
    )

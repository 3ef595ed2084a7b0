"""Query cost on PostgreSQL: the rows that a call reads, where SQLite's steps are counted on the embedded back end."""

from __future__ import annotations

from contextlib import closing, contextmanager
from statistics import median
from typing import TYPE_CHECKING, Any

from pytest_taskq.faults.server_deaths import store_of
from pytest_taskq.instruments.query_cost import (
    ALLOWED,
    BASE,
    MANY,
    Measured,
    fill_around,
    fill_backlog,
    situations,
)
from pytest_taskq.postgres.meter import RowMeter, end_sessions
from pytest_taskq.postgres.server import connected
from pytest_taskq.subject.violation import ContractViolation, NotJudgedError

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Sequence

    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.postgres.stores import ServerStore
    from pytest_taskq.subject import Bench, QueueUnderTest

_SAMPLES = 9
_NOT_GENERATED = """
    SELECT attname::text FROM pg_attribute
    WHERE attrelid = 'task_queue'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""
_ANEW = (
    "SET LOCAL session_replication_role = replica",
    "CREATE TEMPORARY TABLE rows_kept ON COMMIT DROP AS SELECT {0} FROM task_queue ORDER BY ctid",
    "TRUNCATE task_queue CASCADE",
    "INSERT INTO task_queue ({0}) OVERRIDING SYSTEM VALUE SELECT {0} FROM rows_kept",
)
_SLACK = 100  # rows; also for those that earlier claims have left dead


def uses_indexes(bench: Bench, calls: Sequence[Measured], _budget: Budget) -> str:
    """No hot call reads rows that do not concern it: return what was counted.

    There are many others from the first: a table of a few hundred rows PostgreSQL reads as a whole, and rightly so.
    """
    shown = []
    for call in calls:
        found = _read_beside(bench, call, MANY)
        if found.total() >= MANY:
            raise ContractViolation(
                f"{call.name} reads only the rows that concern it, through an index",
                f"{found.total()} rows read beside {4 * MANY} others, {MANY} of each kind:\n{_where(found)}",
                method=call.method,
            )
        shown.append(f"{call.name} {found.total()}")
    return f"rows read beside {4 * MANY} others: {', '.join(shown)}"


def _read_beside(bench: Bench, call: Measured, others: int) -> Counter[str]:
    with bench.queue() as queue:
        store = _without_dead_rows(queue)
        fill_around(queue, others)
        _analyse(store)
        call.run(queue, call.prepare(queue))  # does what is done once after rows come in
        prepared = call.prepare(queue)
        with _left_alone(queue, store):
            end_sessions(queue, store)
            with closing(RowMeter(store)) as meter:
                return _read_by(queue, call, prepared, meter)


@contextmanager
def _left_alone(queue: QueueUnderTest, store: ServerStore) -> Iterator[None]:
    """Keep the rows as the code is to find them: versions of rows that the kit has left dead would be read, too."""
    with store.time.held(queue.clock.milliseconds):
        if store.moves_rows:
            _write_anew(store)
            _analyse(store)
        yield


def _write_anew(store: ServerStore) -> None:
    """Give the table new files with the same rows, for the same reason as before it was filled."""
    with connected(store.dsn) as connection, connection.transaction():
        names = ", ".join(f'"{name}"' for (name,) in connection.execute(_NOT_GENERATED))
        for statement in _ANEW:
            connection.execute(statement.format(names))


def _read_by(queue: QueueUnderTest, call: Measured, prepared: Any, meter: RowMeter) -> Counter[str]:  # noqa: ANN401 - whatever it is
    """Return what one call reads, made by an actor of its own, whose session then ends."""
    actor = queue.another()
    result = call.run(actor, prepared)
    actor.close_actor()
    store_of(queue).end_connections()
    found = meter.read()
    if prepared is None and result is None:
        raise NotJudgedError(f"{call.name} found nothing to claim while there was something")
    if not found:
        raise NotJudgedError(f"{call.name} read no row that the server counted")
    return found


def _without_dead_rows(queue: QueueUnderTest) -> ServerStore:
    """Give the table new files: whoever looks at the database since long keeps vacuum from removing what is deleted."""
    store = store_of(queue)
    with connected(store.dsn) as connection:
        connection.execute("TRUNCATE task_queue CASCADE")
    return store


def _analyse(store: ServerStore) -> None:
    """Do what the server does by itself after a minute: without it plans are those of an empty table."""
    with connected(store.dsn) as connection:
        connection.execute("VACUUM (ANALYZE) task_queue")


def _where(found: Counter[str]) -> str:
    return "\n".join(f"  {rows:>8}  {place}" for place, rows in found.most_common(5))


def is_flat(bench: Bench, calls: Sequence[Measured], budget: Budget) -> str:
    """The rows that a claim reads do not grow with the backlog, nor with rows beside: return what was counted."""
    base = _medians(bench, calls, queued=BASE, beside=0)
    shown = []
    for what, queued, beside in situations(budget):
        for call, (rows, where) in _medians(bench, calls, queued=queued, beside=beside).items():
            most = max(base[call][0], 1) * ALLOWED + _SLACK
            if rows > most:
                raise ContractViolation(
                    f"a claim reads at most {most:.0f} rows ({ALLOWED} times what it reads with {BASE} queued, "
                    f"and {_SLACK})",
                    f"{call} reads {rows:.0f} rows with {what}, {base[call][0]:.0f} with {BASE} queued:\n{where}",
                    method=call.partition("(")[0],
                )
            shown.append(f"{call} {base[call][0]:.0f} to {rows:.0f} with {what}")
    return f"rows that a claim reads, median of {_SAMPLES}: {'; '.join(shown)}"


def _medians(bench: Bench, calls: Sequence[Measured], *, queued: int, beside: int) -> dict[str, tuple[float, str]]:
    with bench.queue() as queue:
        store = _without_dead_rows(queue)
        fill_backlog(queue, queued=queued, beside=beside)
        _analyse(store)
        with _left_alone(queue, store):
            return {call.name: _median(queue, call) for call in calls}


def _median(queue: QueueUnderTest, call: Measured) -> tuple[float, str]:
    store = store_of(queue)
    call.run(queue, None)  # what is paid once for the rows that came in is not counted: amortised
    end_sessions(queue, store)
    with closing(RowMeter(store)) as meter:
        samples = sorted((_read_by(queue, call, None, meter) for _ in range(_SAMPLES)), key=lambda one: one.total())
    return median(one.total() for one in samples), _where(samples[len(samples) // 2])

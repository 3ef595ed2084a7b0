"""Oracle: triggers in the shared database record every change of a row, whatever the adapter says of itself."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_taskq.checkers.row_steps import Breach, CallMade, Held, RowJudge, Step
from pytest_taskq.contract import Finding, Instrument, Requirement, SchedulingStrategy, Verdict
from pytest_taskq.instruments.model import ModelQueue
from pytest_taskq.model.calls import ClaimNext, Complete, Enqueue, PassUntil, Program, Reclaim
from pytest_taskq.model.model import Model
from pytest_taskq.model.observation import moment
from pytest_taskq.model.program import Run
from pytest_taskq.model.scenarios import SCENARIOS
from pytest_taskq.subject.store import POSTGRESQL, SQLITE
from pytest_taskq.subject.violation import ContractViolation, NotJudgedError

if TYPE_CHECKING:
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.subject import Bench, Outcome, QueueUnderTest, Subject
    from pytest_taskq.subject.store import PlainRow

_COLUMNS = ("status", "attempts", "locked_by", "reserved_at_utc", "lease_until_utc", "finished_at_utc")
_TABLE = "taskq_oracle"


_SIDES = [f"{side}_{name}" for side in ("old", "new") for name in ("id", *_COLUMNS)]


def _trigger(operation: str) -> str:
    old = ", ".join(f"OLD.{name}" if operation != "INSERT" else "NULL" for name in ("id", *_COLUMNS))
    new = ", ".join(f"NEW.{name}" if operation != "DELETE" else "NULL" for name in ("id", *_COLUMNS))
    return (
        f"CREATE TRIGGER {_TABLE}_{operation.lower()} AFTER {operation} ON task_queue "
        f"BEGIN INSERT INTO {_TABLE} VALUES (NULL, {old}, {new}); END"
    )


_ON_SQLITE = (
    f"CREATE TABLE {_TABLE} (seq INTEGER PRIMARY KEY, {', '.join(_SIDES)})",
    *(_trigger(operation) for operation in ("INSERT", "UPDATE", "DELETE")),
)
# Times as such, so that they are shifted with the others, through a text, whatever the columns are.
_TYPES = {name: "timestamptz" if name.endswith("_utc") else "text" for name in _SIDES}
# OLD is all NULL in an insertion and NEW in a deletion, so one function will do.
_RECORD = f"""
    CREATE FUNCTION {_TABLE}_record() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO {_TABLE} ({", ".join(_SIDES)})
        VALUES ({", ".join(f"{name.replace('_', '.', 1)}::text::{type_}" for name, type_ in _TYPES.items())});
        RETURN NULL;
    END $$
"""
_WATCH = f"""
    CREATE TRIGGER {_TABLE} AFTER INSERT OR UPDATE OR DELETE ON task_queue
    FOR EACH ROW EXECUTE FUNCTION {_TABLE}_record()
"""
_ON_POSTGRESQL = (
    f"CREATE TABLE {_TABLE} (seq bigserial PRIMARY KEY, {', '.join(' '.join(one) for one in _TYPES.items())})",
    _RECORD,
    _WATCH,
)


def install(queue: QueueUnderTest) -> None:
    """Create the oracle's table and triggers in a store of the kit's own."""
    for statement in {SQLITE: _ON_SQLITE, POSTGRESQL: _ON_POSTGRESQL}[queue.store.backend]:
        queue.sql(statement)


def steps_since(queue: QueueUnderTest, seen: int) -> tuple[list[Step], int]:
    """Return the steps recorded after number ``seen``, and the number of the last one."""
    rows = queue.sql(f"SELECT * FROM {_TABLE} WHERE seq > ? ORDER BY seq", (seen,))
    steps = [
        Step(
            task_id=int(row["old_id"] if row["new_id"] is None else row["new_id"]),
            before=_held(row, "old"),
            after=_held(row, "new"),
        )
        for row in rows
    ]
    return [step for step in steps if step.before != step.after], rows[-1]["seq"] if rows else seen


def _held(row: PlainRow, side: str) -> Held | None:
    if row[f"{side}_id"] is None:
        return None
    return Held(
        status=row[f"{side}_status"],
        attempts=None if row[f"{side}_attempts"] is None else int(row[f"{side}_attempts"]),
        holder=row[f"{side}_locked_by"],
        reserved=moment(row[f"{side}_reserved_at_utc"]),
        deadline=moment(row[f"{side}_lease_until_utc"]),
        finished=moment(row[f"{side}_finished_at_utc"]),
    )


class WatchedQueue(ModelQueue):
    """The code under test with the oracle switched on; ``breaches`` grows as calls are made."""

    def __init__(self, queue: QueueUnderTest) -> None:
        super().__init__(queue)
        self.attempt = self._attempt
        self.breaches: list[Breach] = []
        self.judge = RowJudge(queue.promises, max(1, round(queue.promises.time_precision * 1000)))
        install(queue)
        self._seen = 0
        self._version = self._data_version()

    def _attempt(self, method: str, *arguments: Any, **keywords: Any) -> Outcome:  # noqa: ANN401 - any method
        self._version = self._data_version()
        outcome = self._queue.attempt(method, *arguments, **keywords)
        if outcome.error is None:
            self._record(method, arguments, outcome.result)
        return outcome

    def _record(self, method: str, arguments: tuple[Any, ...], result: Any) -> None:  # noqa: ANN401 - any result
        steps, self._seen = steps_since(self._queue, self._seen)
        now = round(self._queue.now().timestamp() * 1000)
        call = CallMade(method=method, arguments=arguments, result=result, now=now, steps=steps)
        self.breaches += self.judge.judge(call)
        if method == "queue_stats" and self._data_version() != self._version:
            self.breaches.append(
                Breach("OBS-03", "queue_stats writes nothing", "it committed a change to the database")
            )

    def _data_version(self) -> int:
        return self._queue.plain.version()


_TWO_WORKERS: tuple[Program, ...] = (
    (
        Enqueue(),
        Enqueue(),
        ClaimNext(lease=5),
        ClaimNext(worker="w2", lease=9),
        PassUntil(what="lease", offset=-1),
        ClaimNext(worker="w3"),
        Reclaim(),
    ),
    (
        Enqueue(),
        ClaimNext(lease=5),
        PassUntil(what="lease"),
        ClaimNext(worker="w2"),
        Reclaim(),
        ClaimNext(worker="w2"),
        Complete(),
    ),
    *(
        (
            Enqueue(),
            Enqueue(),
            ClaimNext(strategy=s, lease=5),
            PassUntil(what="lease"),
            ClaimNext(strategy=s, worker="w2"),
            ClaimNext(strategy=s, worker="w3"),
            ClaimNext(strategy=s),
        )
        for s in SchedulingStrategy
    ),
)
_PROGRAMS: dict[str, tuple[Program, ...]] = {
    "CLM-02": (*_TWO_WORKERS, *SCENARIOS["LSE-01"]),
    "CLM-04": (
        *_TWO_WORKERS,
        (Enqueue(), ClaimNext(lease=1.0)),
        (Enqueue(), ClaimNext(lease=2.5)),
        (Enqueue(), ClaimNext(lease=3600.0)),
    ),
    "OBS-03": SCENARIOS["OBS-01"],
}


class OracleJudge:
    """Judges from the rows alone; other requirements' breaches are left to their own judging."""

    def supports(self, subject: Subject) -> str | None:
        """Return why not for a queue with its own storage: there is no shared table to put triggers on."""
        return None if subject.shared_schema else "triggers need the shared schema, and this queue has its own storage"

    def judge(self, requirement: Requirement, bench: Bench, budget: Budget) -> Finding:
        """Return PASS with the number of changes recorded; a breach raises ContractViolation."""
        del budget
        programs = _PROGRAMS.get(requirement.id) or SCENARIOS[requirement.id]
        steps = calls = decided = 0
        for program in programs:
            watched, made = bench.exactly(partial(self._play, requirement, bench, program))
            steps += watched._seen  # noqa: SLF001 - its own
            calls += made
            decided += requirement.id in watched.judge.witnessed
        if not decided:
            raise NotJudgedError(f"none of {len(programs)} programs brought about what {requirement.id} is about")
        explored = f"{steps} changes of rows in {calls} calls of {len(programs)} programs"
        return Finding.of(requirement, Instrument.ORACLE, Verdict.PASS, explored=explored)

    def _play(self, requirement: Requirement, bench: Bench, program: Program) -> tuple[WatchedQueue, int]:
        """Run a program on a fresh queue; return what was watched, and how many calls were made."""
        with bench.queue() as queue:
            watched = WatchedQueue(queue)
            run = Run(watched, Model(queue.promises, round(queue.now().timestamp() * 1000)))
            for call in program:
                elsewhere = run.step(call)
                mine = next((one for one in watched.breaches if one.requirement == requirement.id), None)
                if mine is not None:
                    raise ContractViolation(mine.expected, mine.seen, calls=queue.transcript.lines)
                if elsewhere:
                    break
            return watched, len(queue.transcript)

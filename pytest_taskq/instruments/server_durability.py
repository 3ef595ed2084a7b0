"""What may happen to a queue whose tasks are on a server: lost connections (DUR-02), and settings that risk commits.

The disk is the server's. How it fails, and what PostgreSQL makes of that, is not the code's to decide: what reaches the
code is a connection that is gone, and what the code decides is which commits wait for the disk (DUR-01).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg.pq import TransactionStatus

from pytest_taskq.contract import Finding, Instrument, Verdict
from pytest_taskq.faults.operations import Operation, operations
from pytest_taskq.faults.server_deaths import ServerWatch, called, whole_call
from pytest_taskq.faults.server_losses import lose_connection
from pytest_taskq.faults.survivors import SHOWS_NOTHING, shows_nothing
from pytest_taskq.faults.sweep import seeded
from pytest_taskq.instruments.durability import STRIKES, Strikes, no_power, positions
from pytest_taskq.postgres.settings import in_force_now
from pytest_taskq.postgres.statements import HOOK
from pytest_taskq.subject.violation import ContractViolation, NotJudgedError

if TYPE_CHECKING:
    from pytest_taskq.contract import Requirement
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.statements import Statement
    from pytest_taskq.subject import Bench, Subject


class ConnectionLossJudge:
    """Judges DUR-02: each writing call, each of its statements, whose connection the server ends just before."""

    def supports(self, subject: Subject) -> str | None:
        """Return None: whether the code can be reached shows when it runs."""
        del subject
        return None

    def judge(self, requirement: Requirement, bench: Bench, budget: Budget) -> Finding:
        """Return PASS with what was explored; a loss that is hidden or leaves its mark raises ContractViolation."""
        if shows_nothing(bench.subject):
            return Finding.of(requirement, Instrument.CRASH_POINTS, Verdict.NOT_OFFERED, reason=SHOWS_NOTHING)
        strikes = Strikes("the server ends the connection")
        for operation in operations(bench.subject).values():
            if budget.effort == "soak" or not operation.thorough:
                _under(bench, operation, budget, strikes)
        if not strikes.count:
            raise NotJudgedError("no connection was lost: no statement of a writing call was seen")
        return Finding.of(requirement, Instrument.CRASH_POINTS, Verdict.PASS, explored=f"{strikes}; not its disk")


def _under(bench: Bench, operation: Operation, budget: Budget, strikes: Strikes) -> None:
    seed = budget.seed_for(operation.name)
    whole = whole_call(bench, operation, seed=seed)
    if whole.undisturbed:
        raise NotJudgedError(f"{whole.recording.outcome.call} goes wrong where nothing is lost: {whole.undisturbed}")
    strikes.calls.append(operation.name)
    for at in positions(len(whole.recording.statements), STRIKES[budget.effort]):
        strikes.refuse_if_late(budget)
        found = lose_connection(bench, operation, whole.after, seed=seed, at=at - 1)
        strikes.count += found.struck
        if found.struck and found.breach is not None:
            raise ContractViolation(found.breach.expected, found.breach.seen, calls=found.lines)


# --- DUR-01 -----------------------------------------------------------------------------------------------------------

_OF_THE_SERVER = ("fsync", "full_page_writes")
_COMMITS = "synchronous_commit"


class CommitSettingsJudge:
    """Judges DUR-01 where ``durability="power"`` is promised: each commit must wait for the disk.

    The power of a server cannot be cut from here. PostgreSQL says what survives it
    (https://www.postgresql.org/docs/current/wal-reliability.html): every commit that waited for the disk.
    """

    def supports(self, subject: Subject) -> str | None:
        """Return None: whether the code can be reached shows when it runs."""
        del subject
        return None

    def judge(self, requirement: Requirement, bench: Bench, budget: Budget) -> Finding:
        """Return PASS with what was seen; a commit with ``synchronous_commit=off`` raises ContractViolation."""
        reason = no_power(bench.subject)
        if reason:
            return Finding.of(requirement, Instrument.CRASH_POINTS, Verdict.NOT_OFFERED, reason=reason)
        looks, calls = 0, []
        for operation in operations(bench.subject).values():
            if operation.thorough and budget.effort != "soak":
                continue
            found = _statements_with_settings(bench, operation, seed=budget.seed_for(operation.name))
            calls.append(operation.name)
            looks += len(found)
            careless = [name for _, settings in found[:1] for name in _OF_THE_SERVER if settings[name] != "on"]
            if careless:
                reason = f"the server itself runs with {careless[0]}=off, which no code under test can make up for"
                return Finding.of(requirement, Instrument.CRASH_POINTS, Verdict.UNSUPPORTED, reason=reason)
            _require_waiting_commits(operation, found)
        if not looks:
            raise NotJudgedError("no statement of a writing call was seen")
        explored = f"{_COMMITS} before each of {looks} commits in {', '.join(calls)}; power was not cut"
        return Finding.of(requirement, Instrument.CRASH_POINTS, Verdict.PASS, explored=explored)


def _require_waiting_commits(operation: Operation, found: list[tuple[str, dict[str, str]]]) -> None:
    for statement, settings in found:
        if settings[_COMMITS] == "off":
            raise ContractViolation(
                "commits wait for the disk before they are acknowledged",
                f"{_COMMITS} is off when {operation.name} runs {statement}",
                calls=[text for text, _ in found],
                method=operation.method,
            )


_COMMITS_NOTHING = ("BEGIN", "START", "SET", "SHOW", "ROLLBACK")


def _commits(statement: Statement) -> bool:
    """Whether a transaction may end in a commit with this statement."""
    verb, connection = statement.sql.strip().upper(), statement.connection
    if connection.pgconn.transaction_status != TransactionStatus.IDLE:
        return verb.startswith(("COMMIT", "END"))
    return connection.autocommit and not verb.startswith(_COMMITS_NOTHING)


def _statements_with_settings(bench: Bench, operation: Operation, *, seed: int) -> list[tuple[str, dict[str, str]]]:
    """Make the call on a fresh store; return its statements that commit, with the settings they were about to meet."""
    found: list[tuple[str, dict[str, str]]] = []

    def at_boundary(_: int, statement: Statement) -> None:
        if not _commits(statement):
            return
        settings = in_force_now(statement.connection.pgconn, (*_OF_THE_SERVER, _COMMITS))
        if settings:
            found.append((" ".join(statement.sql.split()), settings))

    watch = ServerWatch(at_boundary)
    with HOOK.telling(watch), bench.queue() as queue, seeded(seed):
        scene = operation.prepare(queue)
        outcome = called(queue, operation, scene, watch)
        assert outcome is not None  # noqa: S101 - nobody dies
        operation.require_success(outcome)
    return found

"""Broken claims: what they refuse, what stops them, and what a batch or a fraction of a second makes of a lease."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from mutant_queues.client import number, text
from mutant_queues.engine import Engine
from mutant_queues.registry import DIRECT, MODEL, breaks
from mutant_queues.times import WholeSeconds
from mutant_queues.wholes import InMemory
from pytest_taskq import QueueAdapter

# --- CLM-08 -----------------------------------------------------------------------------------------------------------


@breaks("CLM-08", DIRECT, r"claim_task\('w1', \{\}, nan\) names lease_seconds")
class LetsNanPass(Engine):
    """Compares the lease with zero only, which NaN passes."""

    def check_claim(self, worker_id, lease_seconds):
        text("worker_id", worker_id)
        if not isinstance(lease_seconds, int | float):
            raise TypeError(f"lease_seconds must be a number, got {lease_seconds!r}")
        if lease_seconds <= 0:
            raise ValueError(f"lease_seconds must be more than 0, got {lease_seconds!r}")


@breaks("CLM-08", DIRECT, "nothing is claimed: queued, attempts 0; seen leased")
class ChecksAfterTheClaim(QueueAdapter):
    """Looks at its arguments once the task is leased."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        holder = worker_id if isinstance(worker_id, str) and worker_id else "nobody"
        known = isinstance(lease_seconds, int | float) and 0 < lease_seconds < 10**9
        task = self.reference.claim_task(holder, capabilities, lease_seconds if known else 60.0)
        text("worker_id", worker_id)
        number("lease_seconds", lease_seconds, above=0)
        return task


@breaks("CLM-08", DIRECT, "names worker_id")
class SaysBadArgument(Engine):
    """Refuses with a text that does not say what was wrong."""

    def check_claim(self, worker_id, lease_seconds):
        try:
            super().check_claim(worker_id, lease_seconds)
        except (TypeError, ValueError) as error:
            raise type(error)("bad argument") from None


@breaks("CLM-08", DIRECT, "raises ValueError or TypeError; seen .*-> <task")
class TakesAnyName(InMemory):
    """Makes a name of whatever it is given, in a storage of its own."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        return super().claim_task(f"worker {worker_id}", capabilities, lease_seconds)


# --- CLM-11 -----------------------------------------------------------------------------------------------------------


@breaks("CLM-11", DIRECT, "raises ValueError: payload of task")
@breaks("CLM-11", MODEL, "is not JSON")
class DecodesAfterTheLease(Engine):
    """Reads the payload once the lease is committed: the exception leaves the task leased to nobody."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        task = super().claim_task(worker_id, capabilities, lease_seconds)
        if task is not None:
            task.get_payload_dict()
        return task


@breaks("CLM-11", DIRECT, "malformed JSON")
@breaks("CLM-11", MODEL, "malformed JSON")
class LooksIntoJsonInSql(Engine):
    """Asks SQLite's JSON functions, which raise on any row they touch."""

    def due(self):
        return f"{super().due()} AND json_type(compatibility) = 'object'"


class ReadsTextAsText(Engine):
    """Does not ask whether the driver can decode the row."""

    def suitable(self, connection, capabilities):
        rows = connection.execute(
            f"SELECT id, CAST(compatibility AS BLOB) FROM task_queue WHERE {self.due()} ORDER BY {self.ORDER}"
        )
        return (row[0] for row in rows if self.suits(row[1], capabilities))


@breaks("CLM-11", DIRECT, "raises QueueDatabaseError: .*Could not decode to UTF-8", twin=Engine)
class StopsAtWhatIsNotUtf8(ReadsTextAsText):
    """Leases a row whose text is not UTF-8, rolls back, and meets it again at the next claim."""


@breaks("CLM-11", DIRECT, "leased to w1, which claim_task did not tell", twin=Engine)
class KeepsTheLeaseOfWhatItCannotRead(ReadsTextAsText):
    """Goes on behind a row that it leased and could not read."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        self.check_claim(worker_id, lease_seconds)
        with self.db.transaction() as connection:
            self.ready(connection)
            for task_id in list(self.suitable(connection, capabilities)):
                try:
                    return self.lease(connection, task_id, worker_id, lease_seconds)
                except sqlite3.OperationalError as error:
                    if "decode" not in str(error):
                        raise
        return None


@breaks("CLM-11", DIRECT, "raises TypeError: '<' not supported")
@breaks("CLM-11", MODEL, "'<' not supported")
class SortsInPython(Engine):
    """Sorts by priority in Python, where NULL has no place."""

    def chosen(self, connection, capabilities, n):
        ids = set(self.suitable(connection, capabilities))
        rows = connection.execute("SELECT priority, id FROM task_queue WHERE status = 'queued'").fetchall()
        return [row["id"] for row in sorted(rows, key=tuple) if row["id"] in ids][:n]


@breaks("CLM-11", DIRECT, "does not match format|unconverted data")
@breaks("CLM-11", MODEL, "does not match format|unconverted data")
class ReadsOneFormatOfTimes(Engine):
    """Parses when a task is due, and only whole seconds with a space between date and time."""

    def chosen(self, connection, capabilities, n):
        for row in connection.execute(f"SELECT run_after_utc FROM task_queue WHERE {self.due()}"):
            datetime.strptime(row[0], "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - as teams write it
        return super().chosen(connection, capabilities, n)


@breaks("CLM-08", DIRECT, "raises ValueError or TypeError; seen .*None")
@breaks("CLM-11", DIRECT, "which is claimable; seen None")
@breaks("CLM-11", MODEL, "which is claimable")
class FindsNothing(QueueAdapter):
    """Returns None at every claim, whatever is stored or asked."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        return None


@breaks("CLM-08", DIRECT, "raises ValueError or TypeError; seen .*LookupError")
@breaks("CLM-11", DIRECT, "LookupError: no tasks today")
class RaisesAtEveryClaim(QueueAdapter):
    """Raises at every claim."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        raise LookupError("no tasks today")


@breaks("CLM-11", DIRECT, "or a row not handed out before it", twin=Engine)
class HandsOutTheSameRowAgain(Engine):
    """Returns the oldest row, whoever has it."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        self.check_claim(worker_id, lease_seconds)
        with self.db.transaction() as connection:
            row = connection.execute("SELECT id FROM task_queue ORDER BY id LIMIT 1").fetchone()
            return None if row is None else self.lease(connection, row[0], worker_id, lease_seconds)


# --- CLM-12 -----------------------------------------------------------------------------------------------------------


@breaks("CLM-12", MODEL, "at most")
class TakesOneMore(Engine):
    """Returns one task more than asked for, if there is one."""

    def claim_many(self, n, worker_id, capabilities, lease_seconds):
        return super().claim_many(n + 1, worker_id, capabilities, lease_seconds)

    def claim_task(self, worker_id, capabilities, lease_seconds):
        return next(iter(super().claim_many(1, worker_id, capabilities, lease_seconds)), None)


@breaks("CLM-12", MODEL, "status of task")
class LeasesAheadOfItsBatch(Engine):
    """Leases twice as many tasks as it returns, for the next call that never comes."""

    def claim_many(self, n, worker_id, capabilities, lease_seconds):
        return super().claim_many(2 * n, worker_id, capabilities, lease_seconds)[:n]

    def claim_task(self, worker_id, capabilities, lease_seconds):
        return next(iter(super().claim_many(1, worker_id, capabilities, lease_seconds)), None)


@breaks("CLM-12", MODEL, "status of task|leased to nobody")
class ComparesAfterTheLease(Engine):
    """Leases what is first and returns what of it the worker is able to do."""

    def suitable(self, connection, capabilities):
        rows = connection.execute(f"SELECT id FROM task_queue WHERE {self.due()} ORDER BY {self.ORDER}")
        return (row[0] for row in rows)

    def claim_many(self, n, worker_id, capabilities, lease_seconds):
        tasks = super().claim_many(n, worker_id, capabilities, lease_seconds)
        return [task for task in tasks if self.suits((task.compatibility or "").encode(), capabilities)]


@breaks("CLM-12", DIRECT, "in that order")
class ReturnsABatchByAge(Engine):
    """Leases what is first by priority and returns it by age, as RETURNING gives the rows."""

    ORDER = "priority, id"

    def claim_many(self, n, worker_id, capabilities, lease_seconds):
        return sorted(super().claim_many(n, worker_id, capabilities, lease_seconds), key=lambda task: task.id)


@breaks("CLM-12", MODEL, "and the worker can")
class BatchesForAnyWorker(Engine):
    """Compares capabilities in a single claim only."""

    def suitable(self, connection, capabilities):
        if capabilities is None:
            return iter([row[0] for row in connection.execute(f"SELECT id FROM task_queue WHERE {self.due()}")])
        return super().suitable(connection, capabilities)

    def claim_many(self, n, worker_id, capabilities, lease_seconds):
        return super().claim_many(n, worker_id, None, lease_seconds)

    def claim_task(self, worker_id, capabilities, lease_seconds):
        return next(iter(super().claim_many(1, worker_id, capabilities, lease_seconds)), None)


@breaks("CLM-12", MODEL, "attempt 0")
class ReturnsTheRowsItChose(QueueAdapter):
    """Returns the tasks of a batch as they were before it leased them."""

    def claim_many(self, n, worker_id, capabilities, lease_seconds):
        before = {}
        with self.db.connection() as connection:
            for row in connection.execute("SELECT id FROM task_queue").fetchall():
                before[row[0]] = self.reference.get_task(row[0])
        return [before[one.id] for one in self.reference.claim_many(n, worker_id, capabilities, lease_seconds)]


@breaks("CLM-12", MODEL, "which is claimable")
class HasNoBatches(QueueAdapter):
    """Returns an empty batch always."""

    def claim_many(self, n, worker_id, capabilities, lease_seconds):
        return []


@breaks("CLM-12", MODEL, "claim_many returns a list of Tasks")
class BatchesLazily(QueueAdapter):
    """Returns a generator, which leases nothing until somebody asks."""

    def claim_many(self, n, worker_id, capabilities, lease_seconds):
        yield from self.reference.claim_many(n, worker_id, capabilities, lease_seconds)


# --- LSE-05 -----------------------------------------------------------------------------------------------------------


class CutSeconds(WholeSeconds):
    """Leaves the rounding to ``datetime()``, which cuts the fraction off."""

    def later(self, seconds):
        return f"+{seconds} seconds"


@breaks("LSE-05", DIRECT, "0.999 s after a claim by claim_task for 1 s")
class CutsTheFraction(Engine):
    """Leases until a whole second that may be nearly a second too early."""

    def lease(self, connection, task_id, worker_id, lease_seconds):
        kept, self.times = self.times, CutSeconds()
        try:
            return super().lease(connection, task_id, worker_id, lease_seconds)
        finally:
            self.times = kept


@breaks("LSE-05", DIRECT, "0.999 s after a renewal for 1 s")
class CutsTheFractionOfARenewal(Engine):
    """Rounds a claim's deadline up and a renewal's down."""

    def renew_lease(self, task, worker_id, lease_seconds):
        kept, self.times = self.times, CutSeconds()
        try:
            return super().renew_lease(task, worker_id, lease_seconds)
        finally:
            self.times = kept


@breaks("LSE-05", DIRECT, "0.999 s after a claim by claim_task for 1 s")
class LeasesFromTheBeginningOfTheSecond(InMemory):
    """Counts a lease from the second that the claim lies in, in a storage of its own."""

    def shown(self, task):
        task["until"] = int(task["until"])
        return super().shown(task)

"""Small broken queues: the reference with one clause wrong, each killed by the requirement that it breaks."""

from __future__ import annotations

from random import random
from typing import Any

from mutant_queues.registry import COST, DIRECT, MODEL, ORACLE, STATISTICS, breaks, twin
from pytest_taskq import QueueAdapter, Task
from pytest_taskq.reference_impl import Adapter

twin()(Adapter)


class OnReference(QueueAdapter):
    """Runs SQL on the shared tables."""

    def write(self, statement: str, *parameters: Any) -> int:
        with self.db.transaction() as connection:
            return connection.execute(statement, parameters).rowcount


@breaks("ENQ-01", DIRECT, "stored|no other task|claimable")
@breaks("ENQ-01", MODEL, "stored|no other task|claimable")
class StoresNothing(OnReference):
    """Answers with an id and stores nothing."""

    def enqueue(self, type, payload, **options):
        return 1


@breaks("ENQ-06", MODEL, "due|run_after")
class ForgetsTheDelay(OnReference):
    """Stores the task as due at once, whatever the delay."""

    def enqueue(self, type, payload, *, delay_seconds=0.0, **options):
        return self.reference.enqueue(type, payload, **options)


@breaks("ENQ-05", MODEL, "the key|raised|other")
class ForgetsTheKey(OnReference):
    """Stores a second task for the same idempotency key."""

    def enqueue(self, type, payload, *, idempotency_key=None, **options):
        return self.reference.enqueue(type, payload, **options)


@breaks("ENQ-02", MODEL, "payload")
class CutsTextAtNul(OnReference):
    """Drops NUL characters from payloads."""

    def enqueue(self, type, payload, **options):
        import json

        return self.reference.enqueue(type, json.loads(json.dumps(payload).replace("\\u0000", "")), **options)


@breaks("ENQ-10", MODEL, "the task is leased|cancelled")
class CancelsWhateverTheStatus(OnReference):
    """Cancels by id alone, also a task that is leased or finished."""

    def cancel_task(self, task_id):
        return self.write("UPDATE task_queue SET status = 'cancelled' WHERE id = ?", task_id) == 1


@breaks("ENQ-11", MODEL, "None: no such task")
class InventsATask(OnReference):
    """Returns a task for an id that was never given out."""

    def get_task(self, task_id):
        return self.reference.get_task(task_id) or Task(id=task_id, type="job", payload="{}")


@breaks("CLM-01", MODEL, "claimable")
class ClaimsNothing(OnReference):
    """Finds the queue empty at every claim."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        return None


@breaks("CLM-07", MODEL, "needs")
class IgnoresCapabilities(OnReference):
    """Claims as if every worker were able to do everything."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        able = {"gpu": True, "memory": 9, "zone": {"a": None}, "absent": None}
        return self.reference.claim_task(worker_id, {**able, **capabilities}, lease_seconds)


@breaks("CLM-05", MODEL, "attempt")
class DoesNotCountTheAttempt(OnReference):
    """Takes the attempt back that a claim counted."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        task = self.reference.claim_task(worker_id, capabilities, lease_seconds)
        if task is not None:
            self.write("UPDATE task_queue SET attempts = attempts - 1 WHERE id = ?", task.id)
        return task


@breaks("CLM-02", ORACLE, "lease has")
@breaks("LSE-01", MODEL, "lease")
class RobsLiveHolders(OnReference):
    """Puts every leased task back into the queue before it claims."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        self.write("UPDATE task_queue SET status = 'queued' WHERE status = 'leased'")
        return self.reference.claim_task(worker_id, capabilities, lease_seconds)


@breaks("CLM-04", DIRECT, "lease_until_utc")
@breaks("CLM-04", ORACLE, "lease_until_utc")
class LeasesForHalfTheTime(OnReference):
    """Leases for half of the seconds asked for."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        return self.reference.claim_task(worker_id, capabilities, lease_seconds / 2)


@breaks("LSE-03", MODEL, "False")
class RenewsForAnyone(OnReference):
    """Renews by id alone, for whoever asks."""

    def renew_lease(self, task, worker_id, lease_seconds):
        later = f"+{lease_seconds} seconds"
        return (
            self.write("UPDATE task_queue SET lease_until_utc = datetime('now', ?) WHERE id = ?", later, task.id) == 1
        )


@breaks("LSE-02", MODEL, "holds")
class NeverRenews(OnReference):
    """Answers False to every holder that renews."""

    def renew_lease(self, task, worker_id, lease_seconds):
        return False


@breaks("FIN-02", MODEL, "False")
@breaks("FIN-02", ORACLE, "no row changes")
@breaks("FIN-03", MODEL, "False")
class CompletesById(OnReference):
    """Completes by id alone, also after the lease was lost."""

    def complete_task(self, task, worker_id):
        done = "UPDATE task_queue SET status = 'completed', finished_at_utc = datetime('now') WHERE id = ?"
        return self.write(done, task.id) == 1


@breaks("FIN-01", MODEL, "completed")
@breaks("FIN-01", ORACLE, "completed")
class SaysCompletedAndWritesNothing(OnReference):
    """Answers True and leaves the task as it was."""

    def complete_task(self, task, worker_id):
        return True


@breaks("FIN-04", MODEL, "status|claimable|queued")
class FailsAtOnce(OnReference):
    """Gives up at the first failure although attempts are left."""

    def fail_task(self, task, worker_id, error, *, retry=True):
        return self.reference.fail_task(task, worker_id, error, retry=False)


@breaks("FIN-05", MODEL, "run_after_utc")
class ForgetsTheBackoff(OnReference):
    """Makes a failed task due again at once."""

    def fail_task(self, task, worker_id, error, *, retry=True):
        failed = self.reference.fail_task(task, worker_id, error, retry=retry)
        self.write("UPDATE task_queue SET run_after_utc = datetime('now') WHERE id = ? AND status = 'queued'", task.id)
        return failed


@breaks("FIN-05", STATISTICS, "at the latest .* s after failure")
class SometimesWaitsLonger(OnReference):
    """Puts every fifth retry off by a quarter of its delay more than it promises."""

    def fail_task(self, task, worker_id, error, *, retry=True):
        failed = self.reference.fail_task(task, worker_id, error, retry=retry)
        if failed and random() < 0.2:  # noqa: S311 - not a secret
            later = f"+{1 + min(300.0, 2.0 ** (task.attempts - 1)) / 4} seconds"
            self.write("UPDATE task_queue SET run_after_utc = datetime(run_after_utc, ?) WHERE id = ?", later, task.id)
        return failed


@breaks("FIN-08", MODEL, "UnicodeEncodeError")
class ChokesOnOddErrors(OnReference):
    """Raises for an error text that is not ASCII."""

    def fail_task(self, task, worker_id, error, *, retry=True):
        error.encode("ascii")
        return self.reference.fail_task(task, worker_id, error, retry=retry)


@breaks("SCH-01", MODEL, "FIFO")
@breaks("SCH-02", MODEL, "LIFO")
@breaks("SCH-03", MODEL, "PRIORITY")
class ServesInReverse(OnReference):
    """Serves every strategy in another one's order."""

    OPPOSITE = {"fifo": "lifo", "lifo": "fifo", "priority": "lifo", "weighted_random": "fifo"}  # noqa: RUF012

    def claim_by(self, strategy, worker_id, capabilities, lease_seconds):
        return self.reference.claim_by(self.OPPOSITE[strategy], worker_id, capabilities, lease_seconds)


@breaks("OBS-01", MODEL, "queued")
class CountsOneTooMany(OnReference):
    """Counts one queued task more than there are."""

    def queue_stats(self):
        stats = self.reference.queue_stats()
        return {**stats, "queued": stats["queued"] + 1}


@breaks("OBS-03", ORACLE, "changes no row|writes nothing")
class CountsAndWrites(OnReference):
    """Writes to the tasks that it counts."""

    def queue_stats(self):
        self.write("UPDATE task_queue SET attempts = attempts + 1 WHERE status = 'queued'")
        return self.reference.queue_stats()


@breaks("MNT-01", MODEL, "deleted")
@breaks("MNT-01", ORACLE, "only completed")
class DeletesDeadLetters(OnReference):
    """Deletes whatever finished long ago, dead letters too."""

    def delete_finished(self, older_than_seconds):
        old = f"-{older_than_seconds} seconds"
        gone = "DELETE FROM task_queue WHERE finished_at_utc < datetime('now', ?)"
        return self.write(gone, old)


@breaks("MNT-05", MODEL, "no lease is over")
class ReclaimsEverything(OnReference):
    """Takes back live leases as well as those that are over."""

    def reclaim_expired(self):
        return self.write("UPDATE task_queue SET status = 'queued', locked_by = NULL WHERE status = 'leased'")


@breaks("INF-07", COST, "SCAN")
class ScansForItsTask(OnReference):
    """Looks for the task by an expression that no index serves."""

    def complete_task(self, task, worker_id):
        done = (
            "UPDATE task_queue SET status = 'completed', finished_at_utc = datetime('now') WHERE id + 0 = ? "
            "AND status = 'leased' AND locked_by = ? AND attempts = ?"
        )
        return self.write(done, task.id, worker_id, task.attempts) == 1

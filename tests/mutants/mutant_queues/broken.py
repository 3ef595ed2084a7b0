"""Small broken queues: the reference with one clause wrong, each killed by the requirement it is listed under."""

from __future__ import annotations

from typing import Any

from pytest_taskq import QueueAdapter, Task


class OnReference(QueueAdapter):
    """Runs SQL on the shared tables."""

    def write(self, statement: str, *parameters: Any) -> int:
        with self.db.transaction() as connection:
            return connection.execute(statement, parameters).rowcount


class StoresNothing(OnReference):
    def enqueue(self, type, payload, **options):
        return 1


class ForgetsTheDelay(OnReference):
    def enqueue(self, type, payload, *, delay_seconds=0.0, **options):
        return self.reference.enqueue(type, payload, **options)


class ForgetsTheKey(OnReference):
    def enqueue(self, type, payload, *, idempotency_key=None, **options):
        return self.reference.enqueue(type, payload, **options)


class CutsTextAtNul(OnReference):
    def enqueue(self, type, payload, **options):
        import json

        return self.reference.enqueue(type, json.loads(json.dumps(payload).replace("\\u0000", "")), **options)


class CancelsWhateverTheStatus(OnReference):
    def cancel_task(self, task_id):
        return self.write("UPDATE task_queue SET status = 'cancelled' WHERE id = ?", task_id) == 1


class InventsATask(OnReference):
    def get_task(self, task_id):
        return self.reference.get_task(task_id) or Task(id=task_id, type="job", payload="{}")


class ClaimsNothing(OnReference):
    def claim_task(self, worker_id, capabilities, lease_seconds):
        return None


class IgnoresCapabilities(OnReference):
    def claim_task(self, worker_id, capabilities, lease_seconds):
        able = {"gpu": True, "memory": 9, "zone": {"a": None}, "absent": None}
        return self.reference.claim_task(worker_id, {**able, **capabilities}, lease_seconds)


class DoesNotCountTheAttempt(OnReference):
    def claim_task(self, worker_id, capabilities, lease_seconds):
        task = self.reference.claim_task(worker_id, capabilities, lease_seconds)
        if task is not None:
            self.write("UPDATE task_queue SET attempts = attempts - 1 WHERE id = ?", task.id)
        return task


class RobsLiveHolders(OnReference):
    def claim_task(self, worker_id, capabilities, lease_seconds):
        self.write("UPDATE task_queue SET status = 'queued' WHERE status = 'leased'")
        return self.reference.claim_task(worker_id, capabilities, lease_seconds)


class LeasesForHalfTheTime(OnReference):
    def claim_task(self, worker_id, capabilities, lease_seconds):
        return self.reference.claim_task(worker_id, capabilities, lease_seconds / 2)


class RenewsForAnyone(OnReference):
    def renew_lease(self, task, worker_id, lease_seconds):
        later = f"+{lease_seconds} seconds"
        return (
            self.write("UPDATE task_queue SET lease_until_utc = datetime('now', ?) WHERE id = ?", later, task.id) == 1
        )


class NeverRenews(OnReference):
    def renew_lease(self, task, worker_id, lease_seconds):
        return False


class CompletesById(OnReference):
    def complete_task(self, task, worker_id):
        done = "UPDATE task_queue SET status = 'completed', finished_at_utc = datetime('now') WHERE id = ?"
        return self.write(done, task.id) == 1


class SaysCompletedAndWritesNothing(OnReference):
    def complete_task(self, task, worker_id):
        return True


class FailsAtOnce(OnReference):
    def fail_task(self, task, worker_id, error, *, retry=True):
        return self.reference.fail_task(task, worker_id, error, retry=False)


class ForgetsTheBackoff(OnReference):
    def fail_task(self, task, worker_id, error, *, retry=True):
        failed = self.reference.fail_task(task, worker_id, error, retry=retry)
        self.write("UPDATE task_queue SET run_after_utc = datetime('now') WHERE id = ? AND status = 'queued'", task.id)
        return failed


class ChokesOnOddErrors(OnReference):
    def fail_task(self, task, worker_id, error, *, retry=True):
        error.encode("ascii")
        return self.reference.fail_task(task, worker_id, error, retry=retry)


class ServesInReverse(OnReference):
    OPPOSITE = {"fifo": "lifo", "lifo": "fifo", "priority": "lifo", "weighted_random": "fifo"}  # noqa: RUF012

    def claim_by(self, strategy, worker_id, capabilities, lease_seconds):
        return self.reference.claim_by(self.OPPOSITE[strategy], worker_id, capabilities, lease_seconds)


class CountsOneTooMany(OnReference):
    def queue_stats(self):
        stats = self.reference.queue_stats()
        return {**stats, "queued": stats["queued"] + 1}


class CountsAndWrites(OnReference):
    def queue_stats(self):
        self.write("UPDATE task_queue SET attempts = attempts + 1 WHERE status = 'queued'")
        return self.reference.queue_stats()


class DeletesDeadLetters(OnReference):
    def delete_finished(self, older_than_seconds):
        old = f"-{older_than_seconds} seconds"
        gone = "DELETE FROM task_queue WHERE finished_at_utc < datetime('now', ?)"
        return self.write(gone, old)


class ReclaimsEverything(OnReference):
    def reclaim_expired(self):
        return self.write("UPDATE task_queue SET status = 'queued', locked_by = NULL WHERE status = 'leased'")


class ScansForItsTask(OnReference):
    def complete_task(self, task, worker_id):
        done = (
            "UPDATE task_queue SET status = 'completed', finished_at_utc = datetime('now') WHERE id + 0 = ? "
            "AND status = 'leased' AND locked_by = ? AND attempts = ?"
        )
        return self.write(done, task.id, worker_id, task.attempts) == 1


# Requirement, broken queue, words of the reason.
KILLS: tuple[tuple[str, type[QueueAdapter], str], ...] = (
    ("ENQ-01", StoresNothing, "stored|no other task|claimable"),
    ("ENQ-02", CutsTextAtNul, "payload"),
    ("ENQ-05", ForgetsTheKey, "the key|raised|other"),
    ("ENQ-06", ForgetsTheDelay, "due|run_after"),
    ("ENQ-10", CancelsWhateverTheStatus, "the task is leased|cancelled"),
    ("ENQ-11", InventsATask, "None: no such task"),
    ("CLM-01", ClaimsNothing, "claimable"),
    ("CLM-05", DoesNotCountTheAttempt, "attempt"),
    ("CLM-07", IgnoresCapabilities, "needs"),
    ("CLM-02", RobsLiveHolders, "lease has"),
    ("CLM-04", LeasesForHalfTheTime, "lease_until_utc"),
    ("LSE-01", RobsLiveHolders, "lease"),
    ("LSE-02", NeverRenews, "holds"),
    ("LSE-03", RenewsForAnyone, "False"),
    ("FIN-01", SaysCompletedAndWritesNothing, "completed"),
    ("FIN-02", CompletesById, "False|no row changes"),
    ("FIN-03", CompletesById, "False"),
    ("FIN-04", FailsAtOnce, "status|claimable|queued"),
    ("FIN-05", ForgetsTheBackoff, "run_after_utc"),
    ("FIN-08", ChokesOnOddErrors, "UnicodeEncodeError"),
    ("SCH-01", ServesInReverse, "FIFO"),
    ("SCH-02", ServesInReverse, "LIFO"),
    ("SCH-03", ServesInReverse, "PRIORITY"),
    ("OBS-01", CountsOneTooMany, "queued"),
    ("OBS-03", CountsAndWrites, "changes no row|writes nothing"),
    ("MNT-01", DeletesDeadLetters, "deleted|only completed"),
    ("MNT-05", ReclaimsEverything, "no lease is over"),
    ("INF-07", ScansForItsTask, "SCAN"),
)

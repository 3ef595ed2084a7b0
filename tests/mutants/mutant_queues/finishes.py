"""Broken ends of an attempt: retries too soon, failures not recorded, dead letters not dead or without a word."""

from __future__ import annotations

import time

from mutant_queues.engine import Engine
from mutant_queues.keepers import Janitor
from mutant_queues.registry import MODEL, breaks
from mutant_queues.wholes import InMemory
from pytest_taskq import QueueAdapter

# --- retries of a queue that shows no tasks ---------------------------------------------------------------------------


@breaks("FIN-05", MODEL, "which is not due for another")
class RetriesAtOnce(InMemory):
    """Puts a failed task back as due at once, in a storage of its own."""

    def fail_task(self, task, worker_id, _error):
        row = self.held(task, worker_id)
        if row:
            row["status"] = "queued" if row["attempts"] < row["max_attempts"] else "failed"
        return row is not None


@breaks("CLM-01", MODEL, "which is failed, a dead letter")
class RetriesForEver(InMemory):
    """Does not count how often a task may fail, in a storage of its own."""

    def fail_task(self, task, worker_id, _error):
        row = self.held(task, worker_id)
        if row:
            row["status"] = "queued"
            row["due"] = time.time() + self.promises.backoff.longest(row["attempts"])
        return row is not None


# --- FIN-08 -----------------------------------------------------------------------------------------------------------


@breaks("FIN-08", MODEL, "True: w1 holds task .*; seen False")
class SwallowsOddErrors(Engine):
    """Gives up on an error text that UTF-8 cannot hold; the task stays leased."""

    def fail_task(self, task, worker_id, error, *, retry=True):
        try:
            error.encode()
        except UnicodeEncodeError:
            return False
        return super().fail_task(task, worker_id, error, retry=retry)


@breaks("FIN-08", MODEL, "ValueError: error is too long")
class LimitsErrorsByRaising(Engine):
    """Raises where it should cut a long error text."""

    def fail_task(self, task, worker_id, error, *, retry=True):
        if len(error) > 10_000:
            raise ValueError("error is too long")
        return super().fail_task(task, worker_id, error, retry=retry)


@breaks("FIN-08", MODEL, "whole or cut; seen ''")
class EmptiesOddErrors(Engine):
    """Records nothing of a text that is not plain."""

    def shown(self, error):
        return super().shown(error) if error.isascii() and error.isprintable() and len(error) < 1_000 else ""


@breaks("FIN-08", MODEL, "status of task")
@breaks("FIN-09", MODEL, "status of task")
class FailsInWordsOnly(QueueAdapter):
    """Says True to every failure and changes nothing."""

    def fail_task(self, task, worker_id, error, *, retry=True):
        return True


@breaks("FIN-08", MODEL, "seen False")
class RefusesEveryFailure(QueueAdapter):
    """Says False to every failure and changes nothing."""

    def fail_task(self, task, worker_id, error, *, retry=True):
        return False


@breaks("FIN-08", MODEL, "fail_task returns a bool; seen 'failed'")
@breaks("FIN-09", MODEL, "fail_task returns a bool; seen 'failed'")
class AnswersWithAStatus(QueueAdapter):
    """Returns the new status where the contract asks whether the holder's call was accepted."""

    def fail_task(self, task, worker_id, error, *, retry=True):
        self.reference.fail_task(task, worker_id, error, retry=retry)
        return "failed"


# --- FIN-09 -----------------------------------------------------------------------------------------------------------


@breaks("FIN-09", MODEL, "locked_by of task .* a dead letter holds no lease")
class DiesHoldingItsLease(Engine):
    """Leaves holder and deadline on a dead letter."""

    def fail_task(self, task, worker_id, error, *, retry=True):
        kept = self.times.now
        holder = self.holder(task, worker_id) | {"error": self.shown(error)}
        gone = f"status = 'failed', error_message = :error, finished_at_utc = {kept}"
        spent = f" AND ({self.SPENT} OR {int(not retry)})"
        return self.change(gone, holder, spent) or super().fail_task(task, worker_id, error, retry=retry)


@breaks("FIN-09", MODEL, "error_message of task .* 'first'")
class ForgetsTheLastError(Janitor):
    """Writes its own words over the last error when it gives a task up."""

    def give_back(self, connection, task_id, *, spent):
        super().give_back(connection, task_id, spent=spent)
        if spent:
            connection.execute("UPDATE task_queue SET error_message = NULL WHERE id = ?", (task_id,))


@breaks("FIN-09", MODEL, "attempts of task")
class BuriesWithoutAttempts(Engine):
    """Sets the attempts of a dead letter back to 0."""

    def fail_task(self, task, worker_id, error, *, retry=True):
        accepted = super().fail_task(task, worker_id, error, retry=retry)
        with self.db.transaction() as connection:
            connection.execute("UPDATE task_queue SET attempts = 0 WHERE id = ? AND status = 'failed'", (task.id,))
        return accepted


@breaks("FIN-09", MODEL, "status of task .* 'failed'")
class TriesOnceMore(Engine):
    """Puts a task without attempts left back for a last try, a day later."""

    def fail_task(self, task, worker_id, error, *, retry=True):
        accepted = super().fail_task(task, worker_id, error, retry=retry)
        with self.db.transaction() as connection:
            connection.execute(
                "UPDATE task_queue SET status = 'queued', run_after_utc = datetime('now', '+1 day'), "
                "finished_at_utc = NULL WHERE id = ? AND status = 'failed'",
                (task.id,),
            )
        return accepted


@breaks("FIN-09", MODEL, "status of task .* 'failed'")
class ReclaimsTheDead(Janitor):
    """Puts back what is over, and dead letters with it."""

    def reclaim_expired(self):
        taken = super().reclaim_expired()
        with self.db.transaction() as connection:
            connection.execute("UPDATE task_queue SET status = 'queued' WHERE status = 'failed'")
        return taken

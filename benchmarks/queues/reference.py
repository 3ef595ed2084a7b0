"""The reference queue through its public API, as a worker calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pytest_taskq.reference_impl import Queue, QueueDatabase

from .candidate import LEASE, LEVELS, PAYLOAD, TYPE, WORKER

if TYPE_CHECKING:
    from pytest_taskq.reference_impl import Task


class Reference:
    """Everything checked, every row found by its strategy (PRIORITY, the default of ``claim_task``)."""

    name: ClassVar[str] = "reference"
    records_completion: ClassVar[bool] = True

    def __init__(self, path: str, synchronous: str) -> None:
        self._db = QueueDatabase(path, synchronous=synchronous, busy_timeout=30.0)
        self._db.initialize_schema()
        self.queue = Queue(self._db)

    def in_force(self) -> str:
        with self._db.connection() as connection:
            return LEVELS[connection.execute("PRAGMA synchronous").fetchone()[0]]

    def enqueue(self) -> None:
        self.queue.enqueue(TYPE, PAYLOAD)

    def claim(self) -> Task | None:
        return self.queue.claim_task(WORKER, {}, LEASE)

    def complete(self, claimed: Task) -> None:
        self.queue.complete_task(claimed, WORKER)

    def identity(self, claimed: Task) -> int | str:
        return claimed.id

    def close(self) -> None:
        self._db.close()

    def enqueue_many(self, count: int) -> None:
        self.queue.enqueue_many([{"type": TYPE, "payload": PAYLOAD}] * count)

    def claim_many(self, count: int) -> int:
        return len(self.queue.claim_many(count, WORKER, {}, LEASE))

"""What of the shared queue is ours, for ``pytest --taskq-conformance``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shopqueue
from pytest_taskq import QueueAdapter
from shopqueue import Order

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_taskq import Task, TaskId
    from pytest_taskq.contract import Connection


class Adapter(QueueAdapter):
    """Worker 02, the client."""

    def enqueue(self, type: str, payload: Any, **options: Any) -> TaskId:  # noqa: A002, ANN401 - the contract's names
        return shopqueue.enqueue(self.db, Order(type, payload, **options))

    def enqueue_in(self, connection: Connection, type: str, payload: Any, **options: Any) -> TaskId:  # noqa: A002, ANN401 - the same
        return shopqueue.enqueue_within(connection, Order(type, payload, **options))

    def enqueue_many(self, items: Iterable[Mapping[str, Any]]) -> list[TaskId]:
        return list(shopqueue.enqueue_all(self.db, [Order(**item) for item in items]))

    def cancel_task(self, task_id: TaskId) -> bool:
        return shopqueue.cancel(self.db, task_id)

    def get_task(self, task_id: TaskId) -> Task | None:
        return shopqueue.get(self.db, task_id)

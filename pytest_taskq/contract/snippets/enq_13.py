"""A batch is one transaction: what came before a bad item is not stored either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq import QueueAdapter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_taskq import TaskId


class Broken(QueueAdapter):
    def enqueue_many(self, items: Iterable[Mapping[str, Any]]) -> list[TaskId]:
        return [self.enqueue(**item) for item in items]


class Corrected(QueueAdapter):
    def enqueue_many(self, items: Iterable[Mapping[str, Any]]) -> list[TaskId]:
        with self.db.transaction() as connection:
            return [self.enqueue_in(connection, **item) for item in items]

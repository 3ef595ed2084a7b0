"""With NORMAL a commit reaches the disk some time later; who promises power runs FULL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq import Promises, QueueAdapter

if TYPE_CHECKING:
    from pytest_taskq import Database


class Broken(QueueAdapter):
    promises = Promises(durability="power")
    owned = frozenset({"enqueue"})

    def open_database(self, **settings: Any) -> Database:
        return super().open_database(**{"synchronous": "NORMAL", **settings})


class Corrected(QueueAdapter):
    promises = Promises(durability="power")
    owned = frozenset({"enqueue"})

    def open_database(self, **settings: Any) -> Database:
        return super().open_database(**{"synchronous": "FULL", **settings})

"""Queues of others on SQLite, as their documentation uses them; ``synchronous`` is set on their own connections."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from .candidate import LEVELS, PAYLOAD, TYPE

if TYPE_CHECKING:
    import sqlite3


class _Peer:
    """A queue that has no setting for every level: the pragma is given to the connection it writes on."""

    records_completion: ClassVar[bool] = True

    def _writer(self) -> sqlite3.Connection:
        raise NotImplementedError

    def _set(self, synchronous: str) -> None:
        self._writer().execute(f"PRAGMA synchronous = {synchronous}")

    def in_force(self) -> str:
        return LEVELS[self._writer().execute("PRAGMA synchronous").fetchone()[0]]


class Huey(_Peer):
    """huey's steps of a consumer. A task is deleted when it is taken, and its end is recorded nowhere."""

    name: ClassVar[str] = "huey"
    records_completion: ClassVar[bool] = False

    def __init__(self, path: str, synchronous: str) -> None:
        from huey import SqliteHuey

        self._huey = SqliteHuey(filename=str(path), timeout=30)
        self._work = self._huey.task(name="work")(_do_nothing)
        self._set(synchronous)

    def _writer(self) -> sqlite3.Connection:
        connection: sqlite3.Connection = self._huey.storage.conn
        return connection

    def enqueue(self) -> None:
        self._work(TYPE, PAYLOAD)

    def claim(self) -> Any:  # noqa: ANN401 - huey has no types
        return self._huey.dequeue()

    def complete(self, claimed: Any) -> None:  # noqa: ANN401 - as above
        self._huey.execute(claimed)

    def identity(self, claimed: Any) -> str:  # noqa: ANN401 - as above
        return str(claimed.id)

    def close(self) -> None:
        self._huey.storage.close()


def _do_nothing(type: str, payload: object) -> None:  # noqa: A002 - as the task has it
    del type, payload


class Litequeue(_Peer):
    """litequeue: put, pop, done. A message is a text, so type and payload travel in it as JSON."""

    name: ClassVar[str] = "litequeue"

    def __init__(self, path: str, synchronous: str) -> None:
        from litequeue import LiteQueue

        self._queue = LiteQueue(str(path), timeout=30)
        self._set(synchronous)

    def _writer(self) -> sqlite3.Connection:
        connection: sqlite3.Connection = self._queue.conn
        return connection

    def enqueue(self) -> None:
        self._queue.put(json.dumps({"type": TYPE, "payload": PAYLOAD}))

    def claim(self) -> Any:  # noqa: ANN401 - the peer's message
        return self._queue.pop()

    def complete(self, claimed: Any) -> None:  # noqa: ANN401 - as above
        self._queue.done(claimed.message_id)

    def identity(self, claimed: Any) -> str:  # noqa: ANN401 - as above
        return str(claimed.message_id)

    def close(self) -> None:
        self._queue.close()


class PersistQueue(_Peer):
    """persist-queue's SQLiteAckQueue: put, get, ack. It looks for a row without a lock and then marks it."""

    name: ClassVar[str] = "persist-queue"

    def __init__(self, path: str, synchronous: str) -> None:
        from persistqueue import Empty, SQLiteAckQueue

        self._empty = Empty
        self._queue = SQLiteAckQueue(str(path), timeout=30, auto_resume=False)
        self._set(synchronous)

    def _writer(self) -> sqlite3.Connection:
        connection: sqlite3.Connection = self._queue._putter  # noqa: SLF001 - it has no setting for this
        return connection

    def enqueue(self) -> None:
        self._queue.put({"type": TYPE, "payload": PAYLOAD})

    def claim(self) -> Any:  # noqa: ANN401 - the peer's item
        try:
            return self._queue.get(block=False, raw=True)
        except self._empty:
            return None

    def complete(self, claimed: Any) -> None:  # noqa: ANN401 - as above
        self._queue.ack(id=claimed["pqid"])

    def identity(self, claimed: Any) -> int:  # noqa: ANN401 - as above
        return int(claimed["pqid"])

    def close(self) -> None:
        self._queue.close()

"""Queues of others on PostgreSQL: the calls that their own workers make to fetch one task and to finish it.

Their workers are asynchronous, so each of these has an event loop that runs one call at a time.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from .candidate import PAYLOAD, TYPE
from .postgres import IN_FORCE

if TYPE_CHECKING:
    from collections.abc import Coroutine


class _Peer:
    """An event loop and what runs on it."""

    records_completion: ClassVar[bool] = True

    def __init__(self, place: str, synchronous: str) -> None:
        del synchronous
        self._loop = asyncio.new_event_loop()
        self._run(self._open(place))

    async def _open(self, dsn: str) -> None:
        raise NotImplementedError

    async def _close(self) -> None:
        raise NotImplementedError

    def _run(self, call: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - whatever the call returns
        return self._loop.run_until_complete(call)

    def identity(self, claimed: Any) -> str:  # noqa: ANN401 - the peer's job
        return str(claimed.id)

    def close(self) -> None:
        self._run(self._close())
        self._loop.close()


class Procrastinate(_Peer):
    """procrastinate: defer, ``fetch_job``, ``finish_job``; a finished job stays, as is its default."""

    name: ClassVar[str] = "procrastinate"

    async def _open(self, dsn: str) -> None:
        from procrastinate import App, PsycopgConnector
        from procrastinate.jobs import Status

        self._done = Status.SUCCEEDED
        self._app = App(connector=PsycopgConnector(conninfo=dsn, min_size=1, max_size=1))
        await self._app.open_async()
        there = "SELECT to_regclass('procrastinate_jobs') IS NOT NULL AS there"
        if not (await self._app.connector.execute_query_one_async(there))["there"]:
            await self._app.schema_manager.apply_schema_async()
        self._worker = await self._app.job_manager.register_worker()
        self._deferrer = self._app.configure_task(TYPE)

    def in_force(self) -> str:
        return str(self._run(self._app.connector.execute_query_one_async(IN_FORCE))["synchronous_commit"])

    def enqueue(self) -> None:
        self._run(self._deferrer.defer_async(**PAYLOAD))

    def claim(self) -> Any:  # noqa: ANN401 - the peer's job
        return self._run(self._app.job_manager.fetch_job(queues=None, worker_id=self._worker))

    def complete(self, claimed: Any) -> None:  # noqa: ANN401 - as above
        self._run(self._app.job_manager.finish_job(claimed, status=self._done, delete_job=False))

    def enqueue_many(self, count: int) -> None:
        self._run(self._deferrer.batch_defer_async(*[PAYLOAD] * count))

    def claim_many(self, count: int) -> None:
        del count  # its workers fetch one at a time

    async def _close(self) -> None:
        await self._app.close_async()


class PgQueuer(_Peer):
    """pgqueuer through asyncpg: enqueue, ``dequeue`` and ``log_jobs`` of one; a finished job moves to its log."""

    name: ClassVar[str] = "pgqueuer"

    async def _open(self, dsn: str) -> None:
        import asyncpg
        from pgqueuer.queries import EntrypointExecutionParameter, Queries

        self._connection = await asyncpg.connect(dsn)
        self._queries = Queries.from_asyncpg_connection(self._connection)
        if not await self._queries.schema_is_installed():
            await self._queries.install()
        self._what = {
            "entrypoints": {TYPE: EntrypointExecutionParameter(concurrency_limit=0)},
            "queue_manager_id": uuid4(),
            "global_concurrency_limit": None,
            "heartbeat_timeout": timedelta(seconds=30),
        }

    def in_force(self) -> str:
        return str(self._run(self._connection.fetchval(IN_FORCE)))

    def enqueue(self) -> None:
        self._run(self._queries.enqueue(TYPE, json.dumps(PAYLOAD).encode()))

    def claim(self) -> Any:  # noqa: ANN401 - the peer's job
        jobs = self._run(self._queries.dequeue(batch_size=1, **self._what))
        return jobs[0] if jobs else None

    def complete(self, claimed: Any) -> None:  # noqa: ANN401 - as above
        self._run(self._queries.log_jobs([(claimed, "successful", None)]))

    def enqueue_many(self, count: int) -> None:
        self._run(self._queries.enqueue([TYPE] * count, [json.dumps(PAYLOAD).encode()] * count, [0] * count))

    def claim_many(self, count: int) -> int:
        return len(self._run(self._queries.dequeue(batch_size=count, **self._what)))

    async def _close(self) -> None:
        await self._connection.close()


class Chancy(_Peer):
    """chancy without plugins: push, ``fetch_jobs`` of one, ``queue_update`` and ``flush``.

    Its worker flushes once a second and loses what came in between when it dies; what is as durable as the others'
    completion is a flush for each.
    """

    name: ClassVar[str] = "chancy"

    async def _open(self, dsn: str) -> None:
        from chancy import Chancy as App
        from chancy import Job, Queue, QueuedJob, Worker

        self._app = App(dsn, no_default_plugins=True, max_connection_pool_size=1)
        await self._app.pool.open()
        if not await self._app.is_up_to_date():
            await self._app.migrate()
        self._queue = await self._app.declare(Queue("default"))
        self._worker = Worker(self._app, register_signal_handlers=False)
        self._done = QueuedJob.State.SUCCEEDED
        self._job = Job(func=f"{__name__}.work", kwargs=PAYLOAD)

    def in_force(self) -> str:
        return str(self._run(self._show()))

    async def _show(self) -> object:
        async with self._app.pool.connection() as connection:
            return (await (await connection.execute(IN_FORCE)).fetchone())[0]

    def enqueue(self) -> None:
        self._run(self._app.push(self._job))

    def claim(self) -> Any:  # noqa: ANN401 - the peer's job
        jobs = self._run(self._fetch(1))
        return jobs[0] if jobs else None

    async def _fetch(self, up_to: int) -> Any:  # noqa: ANN401 - the peer's jobs
        async with self._app.pool.connection() as connection:
            return await self._worker.fetch_jobs(self._queue, connection, up_to=up_to)

    def complete(self, claimed: Any) -> None:  # noqa: ANN401 - as above
        self._run(self._finish(claimed))

    async def _finish(self, claimed: Any) -> None:  # noqa: ANN401 - as above
        done = replace(claimed, state=self._done, completed_at=datetime.now(UTC), attempts=claimed.attempts + 1)
        await self._worker.queue_update(done)
        await self._worker.flush()

    def enqueue_many(self, count: int) -> None:
        self._run(self._push(count))

    async def _push(self, count: int) -> None:
        async for _ in self._app.push_many([self._job] * count):
            pass

    def claim_many(self, count: int) -> int:
        return len(self._run(self._fetch(count)))

    async def _close(self) -> None:
        await self._app.pool.close()


def work(**payload: object) -> None:
    """Do nothing: what the peers' jobs name."""
    del payload

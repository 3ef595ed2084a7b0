"""Schedules on PostgreSQL: statements run on the server, where they wait for locks by themselves.

A thread whose statement does not come back is found to wait when the server says that it waits for a lock of an actor;
then the others go on. No wall clock decides about that, but two things happen in the server's own time, and only when
no actor can go on: it ends a deadlock, and it ends a wait that is longer than the code's ``lock_timeout``.
"""

from __future__ import annotations

import re
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

import psycopg
from psycopg.pq import TransactionStatus

from pytest_taskq.interleaving.aftermath import UnseenError
from pytest_taskq.interleaving.baton import Stillness
from pytest_taskq.interleaving.waits import waits_decided_by
from pytest_taskq.postgres.backends import Backends
from pytest_taskq.postgres.content import SchemaContent
from pytest_taskq.postgres.contents import Contents
from pytest_taskq.postgres.raced import untimed
from pytest_taskq.postgres.server import connected
from pytest_taskq.postgres.statements import HOOK
from pytest_taskq.postgres.stores import SchemaStore
from pytest_taskq.subject.violation import NotJudgedError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Self

    from pytest_taskq.interleaving.actor import Actor, Interner
    from pytest_taskq.interleaving.baton import Holder, Watch
    from pytest_taskq.interleaving.listening import Listener
    from pytest_taskq.interleaving.site import Part
    from pytest_taskq.interleaving.stage import Stage
    from pytest_taskq.postgres.shifting import ShiftedTime
    from pytest_taskq.statements import Statement
    from pytest_taskq.subject import Bench, QueueUnderTest

# The first to wait looks for a deadlock first. It is to find it, and not the last one, so that runs repeat themselves:
# the steps that close a circle take a few milliseconds, on a busy machine some hundred. Nothing here can be lost by a
# crash of the server.
_SETTINGS = "SET synchronous_commit = off; SHOW default_transaction_isolation"
_OF_SUPERUSERS = "SET deadlock_timeout = '1s'; "
# Serializable transactions depend on what others read that are over; a session that listens, on who notified it.
_BY_STATEMENT = (None, psycopg.IsolationLevel.READ_COMMITTED)
_UNACCOUNTABLE = ("SERIALIZABLE", "LISTEN")
_PATIENCE = 5.0  # seconds for a thread to end whose connections were ended
_VACUUM_EACH = 100  # runs: rows that were put back leave those before them in the files
_LOOK_EACH = 50  # runs: at each step of one of them the server is asked for connections that nobody told of
_OUTSIDE = (TransactionStatus.IDLE, TransactionStatus.UNKNOWN)
# None of these takes a snapshot, nor takes or frees a lock, so that no other session can tell when it ran.
_ASIDE = ("BEGIN", "START TRANSACTION", "SAVEPOINT", "RELEASE", "SET ", "DEALLOCATE")
_DEADLOCK = re.compile(r"\s*DETAIL:\s+Process \d.*", re.DOTALL)
_PLACE = re.compile(r"\btuple \(\d+,\d+\)")
_NO_JUMP = (
    "time is to pass in the middle of a schedule, and this code asks the server's own clock: rows cannot be shifted "
    "while transactions hold them"
)
_DEFERRED = "SET CONSTRAINTS"  # makes up for checks that were put off


class PsycopgDriver:
    """psycopg 3."""

    name = "psycopg 3"

    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        self._serializable = False
        self.keeps_snapshots = False  # from the first statement of a transaction to its end

    def opened(self, connection: Any, actor: int) -> int:  # noqa: ANN401 - a connection of either kind
        """Let the session do without what costs time; return the id of its process."""
        del actor
        may = connection.pgconn.parameter_status(b"is_superuser") == b"on"
        shown = connection.pgconn.exec_((_OF_SUPERUSERS * may + _SETTINGS).encode())
        level = (shown.get_value(0, 0) or b"").upper()
        self._serializable |= level == b"SERIALIZABLE"
        self.keeps_snapshots |= level != b"READ COMMITTED"
        return int(connection.pgconn.backend_pid)

    def in_transaction(self, connection: Any) -> bool:  # noqa: ANN401 - a connection of either kind
        """Whether a connection is inside a transaction."""
        return connection.pgconn.transaction_status not in _OUTSIDE

    def close(self, connection: Any) -> None:  # noqa: ANN401 - a connection of either kind
        """Close a connection, past what its class may do beside."""
        with suppress(psycopg.Error):
            connection.pgconn.finish()

    def part(self, sql: str) -> Part:
        """Return what a statement is to the schedule."""
        text = sql.strip("; \t\r\n").upper()
        if not text:
            return "nothing"
        several = ";" in text
        return "aside" if text.startswith(_ASIDE) and not text.startswith(_DEFERRED) and not several else "step"

    def steady(self, text: str) -> str:
        """Return ``text`` without numbers of processes and transactions, and places in a file."""
        return _PLACE.sub("tuple …", _DEADLOCK.sub("", text))

    def is_timeout(self, error: Exception) -> bool:
        """Whether ``lock_timeout`` ran out; NOWAIT says the same, without having waited."""
        return isinstance(error, psycopg.errors.LockNotAvailable)

    def is_accountable(self, statement: Statement) -> bool:
        """Whether it is neither serializable nor about notifications."""
        level = statement.connection.isolation_level
        self.keeps_snapshots |= level not in _BY_STATEMENT or "ISOLATION" in statement.sql.upper()
        said = any(word in statement.sql.upper() for word in _UNACCOUNTABLE)
        return not said and not self._serializable and level != psycopg.IsolationLevel.SERIALIZABLE

    def seed(self, connection: Any, actor: int, step: int) -> None:  # noqa: ANN401 - a connection of either kind
        """Seed ``random()`` of the session, by what takes no snapshot."""
        if connection.pgconn.transaction_status in (TransactionStatus.IDLE, TransactionStatus.INTRANS):
            connection.pgconn.exec_(b"SET seed = %f" % (((actor + 1) * 0.618034 + step * 0.414214) % 1))

    def end(self, backends: list[int]) -> None:
        """Return when the processes are gone."""
        self._backends.wait_until_gone(backends)


class AtServer:
    """Whether a thread waits for a lock of an actor, which the server says; or for one in Python."""

    soon, pause = 0.002, 0.001

    def __init__(self, holder: Holder, site: PostgresSite) -> None:
        self._holder = holder
        self._site = site
        self._stillness = Stillness(holder)
        self._next = time.monotonic() + self._stillness.soon

    def lasts(self) -> bool:
        """Look once more."""
        if self._holder.away:
            return bool(self._site.blockers(self._holder))
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + self._stillness.pause
        return self._stillness.lasts()

    def still(self) -> bool:
        """Whether no answer came since."""
        return self._holder.away or self._stillness.lasts()


class PostgresSite:
    """The store of one run."""

    opaque = False
    by_statement = True
    timeouts = None
    lets_go = True

    def __init__(self, queue: QueueUnderTest, content: SchemaContent, backends: Backends, *, looks: bool) -> None:
        self.queue = queue
        self.content = content
        self.place = queue.dsn
        self.driver = PsycopgDriver(backends)
        self._backends = backends
        self._actors: list[Actor] = []
        self._looks = looks
        self._present: set[int] = set()

    def watch(self, holder: Holder) -> Watch:
        """Return what asks the server."""
        return AtServer(holder, self)

    def blockers(self, holder: Holder) -> list[int]:
        """Return the actors whose locks a thread waits for."""
        asked = cast("Actor", holder).asked
        waited_for = set(self._backends.blockers(asked)) if asked else set()
        return [actor.index for actor in self._actors if waited_for.intersection(actor.backends)]

    def has_only_read(self, actor: Actor) -> bool:
        """Whether it holds no lock but those of readers; under READ COMMITTED it has no snapshot between statements."""
        return not self.driver.keeps_snapshots and self._backends.have_only_read(actor.backends)

    def begin_step(self) -> None:
        """Let the server see what time it is, and ask it who is there."""
        if self._looks:
            self._present |= self._backends.present()
        self.queue.store.show(self.queue.clock.milliseconds)

    @contextmanager
    def telling(self, listener: Listener) -> Iterator[None]:
        """Tell of statements on connections that are opened meanwhile."""
        self._actors = listener.stage.actors
        with HOOK.telling(listener), waits_decided_by(listener):
            try:
                yield
            finally:
                self._end_what_is_left()

    def _end_what_is_left(self) -> None:
        """End what a worker waits for that was given up, so that its thread ends; nobody else is there any more."""
        left = self._backends.present()
        self._present |= left
        if left:
            self._backends.end(left)
            for actor in self._actors:
                if actor.thread is not None:
                    actor.thread.join(_PATIENCE)

    def check_seen(self, stage: Stage) -> None:
        """Raise UnseenError if there were other connections to the schema than were told."""
        told = {backend for actor in stage.actors for backend in actor.backends}
        unseen = self._present - told
        if unseen:
            raise UnseenError(
                f"the server knows of {len(unseen)} connections to the store beside the {len(told)} that were opened "
                "through psycopg 3, so that their statements cannot be scheduled"
            )


class ShiftedSite(PostgresSite):
    """The store of one run of code that asks the server's own clock: the rows are where real time is meanwhile.

    The times that it stores and is told differ from run to run, so no state is taken for one that was seen before.
    """

    opaque = True

    @contextmanager
    def telling(self, listener: Listener) -> Iterator[None]:
        """Tell of statements in one frame of stored times. Raises InexactTimeError if the run was a slow one."""
        store = cast("SchemaStore", self.queue.store)
        with cast("ShiftedTime", store.time).raced(self.queue.clock), super().telling(listener):
            yield


class PostgresGround:
    """Puts the rows of one schema back before each run; ``jumps`` is whether time is to pass in them."""

    def __init__(self, bench: Bench, interner: Interner, *, jumps: bool = False) -> None:
        self._bench = bench
        self._interner = interner
        self._jumps = jumps
        self._site = PostgresSite
        self._open = ExitStack()
        self._moment = 0
        self._runs = 0

    def __enter__(self) -> Self:
        self._queue = self._open.enter_context(self._bench.queue())
        store = self._queue.store  # made now, because its name is to be drawn by true chance
        if isinstance(store, SchemaStore) and store.moves_rows:
            if self._jumps:
                raise UnsupportedError(_NO_JUMP)
            self._site = ShiftedSite
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def prepare(self, make: Callable[[QueueUnderTest], Any]) -> Any:  # noqa: ANN401 - what the scenario prepares
        """Return what ``make`` returns, and remember the rows."""
        queue = self._queue
        given = make(queue)
        self._moment = self._bench.clock.milliseconds
        queue.close_actor()
        assert isinstance(queue.store, SchemaStore)  # noqa: S101 - the only one there is on a server
        self._store = queue.store
        self._store.show(self._moment)  # shifted rows come into the kit's frame
        self._connection = self._open.enter_context(connected(self._store.dsn))
        self._connection.execute("SET synchronous_commit = off")
        self._contents = Contents(self._store.schema)
        self._contents.remember(self._connection)
        self._backends = Backends(self._store.dsn, self._store.schema)
        self._backends.wait_until_gone(self._backends.present())  # those of what was prepared
        self._open.callback(self._backends.close)
        self._content = SchemaContent(self._store.dsn, *self._contents.names, self._interner.number)
        self._open.callback(self._content.close)
        return given

    def steady(self, text: str) -> str:
        """Return it without times where those are the server's own."""
        return untimed(text) if self._site is ShiftedSite else text

    @contextmanager
    def site(self) -> Iterator[PostgresSite]:
        """Yield the store with the rows as they were."""
        self._bench.clock.milliseconds = self._moment
        if not self._contents.put_back(self._connection):
            raise NotJudgedError(
                "its tables cannot be made as they were before a run: calls of it make or alter tables, or the role "
                "may not keep triggers from firing"
            )
        with self._bench.on(self._store) as queue:
            self._runs += 1
            if self._runs % _VACUUM_EACH == 0:
                self._connection.execute("VACUUM " + ", ".join(map('"{}"'.format, self._contents.names[0])))
            self._content.begin_run()
            yield self._site(queue, self._content, self._backends, looks=self._runs % _LOOK_EACH == 1)

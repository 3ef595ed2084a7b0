"""Schedules on PostgreSQL: statements run on the server, where they wait for locks by themselves.

A thread whose statement does not come back is found to wait when the server says that it waits for a lock of an actor;
then the others go on. No wall clock decides about that, but two things happen in the server's own time, and only when
no actor can go on: it ends a deadlock, and it ends a wait that is longer than the code's ``lock_timeout``.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, cast

from pytest_taskq.interleaving.aftermath import UnseenError
from pytest_taskq.interleaving.baton import Stillness
from pytest_taskq.interleaving.psycopg_driver import PsycopgDriver
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
    from pytest_taskq.interleaving.stage import Stage
    from pytest_taskq.postgres.shifting import ShiftedTime
    from pytest_taskq.subject import Bench, QueueUnderTest

_PATIENCE = 5.0  # seconds for a thread to end whose connections were ended
_VACUUM_EACH = 100  # runs: rows that were put back leave those before them in the files
_LOOK_EACH = 50  # runs: at each step of one of them the server is asked for connections that nobody told of
_NO_JUMP = (
    "time is to pass in the middle of a schedule, and this code asks the server's own clock: rows cannot be shifted "
    "while transactions hold them"
)


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
        if time.monotonic() < self._next or self._site.driver.answers(self._holder.thread):
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

"""What the statement hook and the waits tell of the actors, and how long those wait."""

from __future__ import annotations

import math
import sqlite3
import threading
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from pytest_taskq.interleaving.actor import plain
from pytest_taskq.interleaving.aftermath import UnseenError, is_lock_error
from pytest_taskq.interleaving.events import Event, letter
from pytest_taskq.subject.violation import Died

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_taskq.interleaving.actor import Actor
    from pytest_taskq.interleaving.stage import Stage
    from pytest_taskq.statements import Statement

_GRAIN = 0.01  # sleeps end on this grid of virtual seconds, so that jittered pauses give equal runs
# Without RETURNING these leave no row to be read; of any other statement a cursor may keep its snapshot open.
_LEAVE_NO_ROWS = (
    *("INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE", "DROP", "ALTER"),
    *("BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE"),
)
P = ParamSpec("P")
R = TypeVar("R")


def _faults_apart(told: Callable[Concatenate[Listener, P], R]) -> Callable[Concatenate[Listener, P], R]:
    """Keep a fault of the kit's own, met inside the team's call, from passing for an error of the team's."""

    @wraps(told)
    def kept_apart(self: Listener, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return told(self, *args, **kwargs)
        except Exception as error:
            self.fail(error)
            raise Died from error

    return cast("Callable[Concatenate[Listener, P], R]", kept_apart)


class Listener:
    """Stops each actor before a statement until the schedule lets it go on, and keeps what it was told.

    Where the database's own waiting is out of reach, a statement that finds a lock is run again when the lock may be
    free.
    """

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._timeouts = stage.site.timeouts

    def fail(self, error: Exception) -> None:
        """End the run of every actor; ``error`` is raised by whoever made it."""
        self.stage.played.broken = self.stage.played.broken or error
        for actor in self.stage.actors:
            actor.dying = True

    # --- statements -------------------------------------------------------------------------------------------------

    @_faults_apart
    def opened(self, connection: Any, *, rows_seen: bool) -> None:  # noqa: ANN401 - of any driver
        """Learn of a new connection."""
        actor = self.stage.actor_here()
        if actor is None:
            return
        self.stage.connections += 1
        backend = self.stage.site.driver.opened(connection, actor.index)
        actor.backends += [backend] if backend else []
        if self._timeouts is not None:
            self._timeouts.take(connection)
        if rows_seen:
            actor.connections.add(connection)
        else:
            actor.lasting.append(connection)
            self.stage.opaque = True

    @_faults_apart
    def begins(self, statement: Statement) -> None:
        """Wait until the schedule lets the statement run."""
        actor = self.stage.actor_here(statement.connection)
        if actor is None or (actor.freed and not actor.dying):
            return
        if statement.stoppable:
            actor.perish()
        part = self.stage.site.driver.part(statement.sql)
        if actor.dying or part == "nothing":
            return
        if part == "aside":
            self.stage.log(actor, "aside", _shown(statement))
            return
        actor.stoppable = statement.stoppable
        actor.event = Event(actor.index, "statement", _shown(statement))
        actor.wait("ready")
        if statement.stoppable:
            actor.perish()
        self._begin(actor, statement)

    def _begin(self, actor: Actor, statement: Statement) -> None:
        event = actor.event
        if event is not None:
            event.writing, event.at = actor.in_transaction(), self.stage.clock.seconds
            self.stage.played.events.append(event)
        actor.last, actor.dirty, actor.unread, actor.met_lock = statement, True, False, False
        self._see(actor, statement)
        self.stage.told(actor, (statement.sql, plain(statement.parameters)))

    def _see(self, actor: Actor, statement: Statement) -> None:
        """Note what the statement is about to see, on which depends what it does unseen until its COMMIT."""
        driver = self.stage.site.driver
        driver.seed(statement.connection, actor.index, actor.steps)
        self.stage.opaque |= not driver.is_accountable(statement)
        if self.stage.site.by_statement:
            before = actor.snapshot if actor.in_transaction() else 0
            actor.snapshot = self.stage.number((before, self.stage.moment))
        elif self.stage.content is not None and not actor.in_transaction():
            actor.snapshot = self.stage.committed() or 0

    @_faults_apart
    def ended(self, statement: Statement, seen: object) -> None:
        """Learn that a call ended."""
        actor = self.stage.actor_here(statement.connection)
        if actor is None or actor.freed:
            return
        if self._timeouts is not None:
            self._timeouts.ran(statement.connection, statement.sql)
        self.stage.told(actor, plain(seen))
        text = statement.sql.lstrip().upper()
        actor.unread = not self.stage.site.by_statement and ("RETURNING" in text or not text.startswith(_LEAVE_NO_ROWS))

    @_faults_apart
    def failed(self, statement: Statement, error: Any) -> bool:  # noqa: ANN401 - of any driver
        """Learn that a call failed; where SQLite's own waiting is out of reach, wait here and run it again."""
        actor = self.stage.actor_here(statement.connection)
        if actor is None:
            return False
        actor.perish()
        if is_lock_error(error):
            # It changed nothing, so nobody who waits need look again: two that retry would wake each other for ever.
            actor.dirty, actor.met_lock = False, True
            if actor.was_outside and self.stage.site.driver.is_timeout(error):
                actor.waited = math.inf  # as long as it wanted to: how long that took here says nothing
        if self._timeouts is not None and self._timeouts.waits(statement.connection, error):
            self._wait_by_statement(actor, self._timeouts.of(statement.connection))
            if not actor.gives_up:
                return True
        name = getattr(error, "sqlite_errorname", None) or type(error).__name__
        self.stage.told(actor, name)
        if actor.event is not None:
            actor.event.notes.append(f"=> {name}")
        return False

    @_faults_apart
    def fetched(self, connection: Any, rows: Sequence[object]) -> None:  # noqa: ANN401 - of any driver
        """Learn of rows that the caller was given."""
        actor = self.stage.actor_here(connection)
        if actor is None or actor.freed:
            return
        if not rows:
            actor.unread = False
        self.stage.told(actor, plain(rows))
        if actor.event is not None and rows:
            actor.event.notes += [f"=> {_row(row)}" for row in rows]

    @_faults_apart
    def closing(self, connection: Any) -> None:  # noqa: ANN401 - of any driver
        """Learn that a connection is about to be closed."""
        actor = self.stage.actor_here(connection)
        if actor is not None and connection in actor.connections:
            actor.dirty = True

    # --- on a server ------------------------------------------------------------------------------------------------

    @_faults_apart
    def aside(self, statement: Statement) -> None:
        """Learn of a statement that goes with another."""
        actor = self.stage.actor_here(statement.connection)
        if actor is not None and not actor.freed:
            self.stage.log(actor, "aside", _shown(statement))

    @_faults_apart
    def unseen(self) -> None:
        """Learn that what an actor is told cannot be known."""
        self.stage.opaque |= self.stage.actor_here() is not None

    @_faults_apart
    def met(self, connection: Any) -> None:  # noqa: ANN401 - of any driver
        """Learn of a connection from before the run."""
        del connection
        if self.stage.actor_here() is not None:
            raise UnseenError(
                "a connection that was opened before the workers began is used by them, so that nothing is known of "
                "what it holds; let each adapter open its own"
            )

    @_faults_apart
    def sent(self, backend: int) -> None:
        """Learn that an actor waits for a process on the server."""
        actor = self._actor_itself()
        if actor is not None:
            actor.asked, actor.stoppable = backend, False
            actor.go_away()

    @_faults_apart
    def answered(self) -> None:
        """Return when the schedule lets the actor go on, if it had to wait for another's lock."""
        actor = self._actor_itself()
        if actor is None:
            return
        actor.was_outside = actor.come_back(parks=not actor.freed)
        if actor.was_outside:
            self.stage.told(actor, "answered")

    @_faults_apart
    def closed(self, backend: int) -> None:
        """Return when nothing of a closed connection is left, so that its locks are free."""
        self.stage.site.driver.end([backend])

    def _actor_itself(self) -> Actor | None:
        actor = self.stage.actor_here()
        return actor if actor is not None and actor.thread is threading.current_thread() else None

    # --- waits ------------------------------------------------------------------------------------------------------

    def is_mine(self) -> bool:
        """Whether the running thread works for an actor, and does not wait for a server, which has its own time."""
        actor = self.stage.actor_here()
        return actor is not None and not actor.away

    def monotonic(self) -> float:
        """Return virtual seconds."""
        return self.stage.clock.seconds

    def lock_wait(self, seconds: float) -> None:
        """Wait until somebody else's step may have freed the lock."""
        actor = self.stage.actor_here()
        if actor is None or actor.freed:
            return
        actor.waited += seconds
        if actor.gives_up:
            self.stage.clock.advance(seconds)
            return
        actor.wakes = self.stage.clock.seconds + seconds
        self._wait_for_others(actor, "blocked")

    @_faults_apart
    def sleep(self, seconds: float) -> None:
        """Sleep until the schedule lets it go on: see ``Execution``."""
        actor = self.stage.actor_here()
        if actor is None or actor.freed:
            return
        now = self.stage.clock.seconds
        actor.wakes = (int((now + seconds) / _GRAIN) + 1) * _GRAIN
        self.stage.log(actor, "sleep", f"sleeps {actor.wakes - now:.2f} s")
        self._wait_for_others(actor, "asleep")
        actor.perish()

    def _wait_by_statement(self, actor: Actor, timeout: float) -> None:
        if actor.freed:
            actor.gives_up = True
        if actor.gives_up:
            return
        actor.wakes = self.stage.clock.seconds + timeout
        self._wait_for_others(actor, "blocked")
        actor.perish()
        actor.gives_up |= self.stage.clock.seconds >= actor.wakes
        if actor.gives_up:
            actor.waited += timeout
            self.stage.reach(actor.wakes)

    def _wait_for_others(self, actor: Actor, how: Any) -> None:  # noqa: ANN401 - a literal of Holder's
        holders = [one for one in self.stage.actors if one is not actor and one.in_transaction()]
        if how == "blocked" and actor.event is not None:
            names = " and ".join(letter(one.index) for one in holders) or "nobody that is left"
            note = f"=> blocked by {names}"
            actor.event.notes += [] if note in actor.event.notes else [note]
        actor.stoppable = False
        self.stage.told(actor, how)
        actor.wait(how)


def _row(row: object) -> str:
    return repr(tuple(row)) if isinstance(row, sqlite3.Row) else repr(row)


def _shown(statement: Statement) -> str:
    text = " ".join(statement.sql.split())
    return f"{text} {statement.parameters!r}" if statement.parameters else text

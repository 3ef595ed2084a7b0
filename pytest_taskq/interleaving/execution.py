"""One run of a scenario under one schedule."""

from __future__ import annotations

import re
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

from pytest_taskq.interleaving.actor import Actor, plain, was_left
from pytest_taskq.interleaving.aftermath import is_lock_error
from pytest_taskq.interleaving.baton import Baton, Died, StuckError
from pytest_taskq.interleaving.choices import Choice
from pytest_taskq.interleaving.events import NOBODY, Called, Event, Played, arrow, letter
from pytest_taskq.interleaving.scenario import Player
from pytest_taskq.interleaving.search import DivergedError, Node
from pytest_taskq.subject.transcript import call_line

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from pytest_taskq.clock import VirtualClock
    from pytest_taskq.interleaving.actor import Interner
    from pytest_taskq.interleaving.choices import Schedule
    from pytest_taskq.interleaving.content import Content
    from pytest_taskq.interleaving.entropy import Entropy
    from pytest_taskq.interleaving.scenario import Scenario
    from pytest_taskq.interleaving.timeouts import Timeouts
    from pytest_taskq.sqlite.statements import Statement
    from pytest_taskq.subject import Outcome, QueueUnderTest

_MOST_STEPS = 3_000
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_GRAIN = 0.01  # sleeps end on this grid of virtual seconds, so that jittered pauses give equal runs
# They set or ask what belongs to the connection alone, so that no other actor can tell when they ran.
_PRIVATE = ("busy_timeout", "foreign_keys", "synchronous", "journal_mode", "cache_size", "temp_store", "mmap_size")


class Execution:
    """Runs the scripts of a scenario, one actor at a time, as the schedule says and then without deviation.

    It is what the statement hook tells, and decides how long actors wait. ``content`` is None where rows cannot be
    seen: then no state is known to be equal to another. ``timeouts`` is given where SQLite's own waiting is out of
    reach: then a statement that finds a lock is run again when the lock may be free.
    """

    def __init__(
        self,
        scenario: Scenario,
        queues: Sequence[QueueUnderTest],
        prepared: Any,  # noqa: ANN401 - what the scenario prepared
        clock: VirtualClock,
        interner: Interner,
        content: Content | None,
        entropy: Entropy,
        limit: float,
        timeouts: Timeouts | None,
    ) -> None:
        self.scenario = scenario
        self.played = Played()
        self.opaque = content is None
        self.connections = 0
        self._queues = queues
        self._prepared = prepared
        self._clock = clock
        self._interner = interner
        self._content = content
        self._entropy = entropy
        self._timeouts = timeouts
        self._baton = Baton(limit)
        self._place = str(queues[0].path.parent)
        self._actors = [Actor(self._baton, index) for index in range(len(queues))]
        self._running: Actor | None = None
        self._disbanded = False
        self._scheduler = threading.get_ident()
        self._jumped = False
        self._last: int | None = None

    # --- the scheduler ----------------------------------------------------------------------------------------------

    def run(self, schedule: Schedule, seen: Callable[[Hashable], bool]) -> Played:
        """Run to the end, or to a state that was ``seen``. Raises DivergedError if the schedule is not possible."""
        try:
            for actor in self._actors:
                actor.begin(lambda actor=actor: self._body(actor))  # type: ignore[misc]  # mypy cannot infer it
                self._lend(actor)  # to its first statement
            self._follow(schedule, seen)
        finally:
            self._end()
            if self._content is not None:
                self._content.number()
                self.played.largest_drop = self._content.largest_drop
        return self.played

    def _follow(self, schedule: Schedule, seen: Callable[[Hashable], bool]) -> None:
        place = 0
        while options := self._options():
            committed = self._content.number() if self._content is not None else None
            if place == _MOST_STEPS:
                raise StuckError
            costs = tuple(self._cost(option) for option in options)
            if place < len(schedule):
                if schedule[place] not in options:
                    raise DivergedError(f"step {place + 1}, {schedule[place].letter}, is not possible any more")
                chosen = options.index(schedule[place])
            else:
                if not self.opaque and (state := self._state(committed)) is not None and seen(state):
                    self.played.complete = False
                    return
                chosen = costs.index(0)
            self.played.nodes.append(Node(options, costs, chosen))
            self._take(options[chosen])
            place += 1

    def _options(self) -> tuple[Choice, ...]:
        ready = [actor for actor in self._actors if actor.waiting == "ready"]
        if not ready:
            ready = self._woken()
        running = [Choice("run", actor.index) for actor in ready]
        running.sort(key=lambda choice: (choice.actor != self._last, choice.actor))
        if not running:
            return ()
        mortal = [actor for actor in ready if actor.index in self.scenario.mortal and actor.stoppable]
        dying = [] if self.played.died else [Choice("die", actor.index) for actor in mortal]
        jumps = [Choice("jump")] if self.scenario.jump and not self._jumped else []
        return (*running, *dying, *jumps)

    def _woken(self) -> list[Actor]:
        """Return who goes on when nobody can: whose time comes first, or of those that wait for each other, any."""
        waiting = [actor for actor in self._actors if actor.waiting in ("asleep", "blocked")]
        if not waiting and any(actor.waiting == "outside" for actor in self._actors):
            raise StuckError
        if all(actor.waiting == "blocked" for actor in waiting):
            return waiting
        first = min(waiting, key=lambda actor: (actor.wakes, actor.index))
        self._clock.milliseconds = max(self._clock.milliseconds, round(first.wakes * 1000))
        return [first]

    def _cost(self, option: Choice) -> int:
        if option.kind != "run":
            return 1
        last = None if self._last is None else self._actors[self._last]
        return int(last is not None and last.waiting == "ready" and option.actor != last.index)

    def _state(self, committed: int | None) -> Hashable:
        if committed is None:
            return None
        last = self._last if self._last is not None and self._actors[self._last].waiting == "ready" else None
        actors = tuple(
            (
                actor.history,
                actor.waiting,
                round(actor.wakes, 3),
                actor.snapshot if actor.in_transaction() or actor.unread else 0,
            )
            for actor in self._actors
        )
        return committed, self._clock.milliseconds, last, self._jumped, tuple(self.played.died), actors

    def _take(self, choice: Choice) -> None:
        if choice.kind == "jump":
            self._jumped = True
            self._clock.advance(self.scenario.jump)
            self.played.events.append(Event(NOBODY, "time", f"{self.scenario.jump:g} s pass"))
            self._wake_sleepers()
            return
        actor = self._actors[choice.actor]
        if choice.kind == "die":
            actor.dying = True
            self.played.died.add(actor.index)
            what = actor.event.text if actor.event is not None else ""
            actor.event = None
            self.played.events.append(Event(actor.index, "death", f"dies before {what}"))
        else:
            actor.gives_up = all(one.waiting in ("blocked", "outside", "finished") for one in self._actors)
        self._last = actor.index
        self._lend(actor)
        if actor.released() or actor.waiting == "finished":
            self._wake(actor)
        actor.dirty = False

    def _wake(self, by: Actor) -> None:
        for actor in self._actors:
            if actor is not by and actor.waiting in ("blocked", "asleep"):
                actor.waiting = "ready"

    def _wake_sleepers(self) -> None:
        for actor in self._actors:
            if actor.waiting == "asleep" and actor.wakes * 1000 <= self._clock.milliseconds:
                actor.waiting = "ready"

    def _lend(self, actor: Actor) -> None:
        actor.steps += 1
        self._entropy.begin_step(actor.index, actor.steps)
        self._running = actor
        try:
            self._baton.lend(actor)
            outside = [one for one in self._actors if one.waiting == "outside"]
            if outside:
                self._baton.settle(outside)
        except StuckError:
            self._disband()
            raise
        finally:
            self._running = None

    def _end(self) -> None:
        """Let every thread run out; those that did not finish are made to."""
        for actor in self._actors:
            if actor.waiting != "finished":
                actor.dying = actor.freed = actor.gives_up = True
        for _ in range(_MOST_STEPS):
            able = [actor for actor in self._actors if actor.waiting not in ("finished", "outside")]
            if not able or self._disbanded:
                break
            self._lend(able[0])
        if any(actor.waiting == "outside" for actor in self._actors):
            self._disband()
            raise StuckError

    def _disband(self) -> None:
        """Let every thread end by itself, so that what it holds is free for whoever comes next."""
        self._disbanded = True
        for actor in self._actors:
            actor.dying = actor.freed = actor.gives_up = True
            if actor.waiting not in ("finished", "outside") and actor.go.locked():
                actor.go.release()

    # --- an actor's thread ------------------------------------------------------------------------------------------

    def _body(self, actor: Actor) -> None:
        queue = self._queues[actor.index]
        player = Player(queue, self._prepared, lambda *call: self._call(actor, *call))
        try:
            self.scenario.scripts[actor.index](player)
        except Died:
            pass
        except Exception as error:  # noqa: BLE001 - a judge of the kit's, raised again by whoever made the run
            self.played.broken = self.played.broken or error
        self._leave(actor, queue)

    def _leave(self, actor: Actor, queue: QueueUnderTest) -> None:
        actor.freed = True
        if actor.dying:
            queue.abandon()
        else:
            try:
                queue.close_actor()
            except Exception as error:  # noqa: BLE001 - the adapter's own; raised again by whoever made the run
                self.played.broken = self.played.broken or error
        actor.close_connections()

    def _call(
        self, actor: Actor, queue: QueueUnderTest, method: str, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Outcome:
        call = Called(actor.index, method, arguments, began=len(self.played.events))
        self.played.calls.append(call)
        actor.waited, call.since = 0.0, self._clock.seconds
        self._log(actor, "call", call_line(method, arguments, keywords))
        outcome = queue.attempt(method, *arguments, **keywords)
        actor.perish()
        call.outcome, call.ended, call.until = outcome, len(self.played.events), self._clock.seconds
        call.seconds = max(actor.waited, call.until - call.since)
        self._told(actor, method)
        self._log(actor, "return", arrow(outcome))
        return outcome

    def _log(self, actor: Actor, kind: Any, text: str) -> Event:  # noqa: ANN401 - a literal of Event's
        text = _ADDRESS.sub("", text.replace(self._place, "…"))
        event = Event(actor.index, kind, text, writing=actor.in_transaction())
        self.played.events.append(event)
        return event

    def _told(self, actor: Actor, what: Hashable) -> None:
        actor.history = self._interner.number((actor.history, what, self._clock.milliseconds))

    # --- what the statement hook tells ------------------------------------------------------------------------------

    def _mine(self, connection: sqlite3.Connection | None = None) -> Actor | None:
        """Return the actor that the running thread works for; threads that its code started work for it too."""
        # Garbage of earlier runs (a coroutine that died, say) may be collected in any step, and is no act of an actor.
        if connection is not None and was_left(connection):
            return None
        here = threading.get_ident()
        if here == self._scheduler:
            return None
        own = (actor for actor in self._actors if actor.thread is not None and actor.thread.ident == here)
        return next(own, self._running)

    def opened(self, connection: sqlite3.Connection, *, rows_seen: bool) -> None:
        """Learn of a new connection."""
        actor = self._mine()
        if actor is None:
            return
        self.connections += 1
        if self._timeouts is not None:
            self._timeouts.take(connection)
        if rows_seen:
            actor.connections.add(connection)
        else:
            actor.lasting.append(connection)
            self.opaque = True

    def begins(self, statement: Statement) -> None:
        """Wait until the schedule lets the statement run."""
        actor = self._mine(statement.connection)
        if actor is None or (actor.freed and not actor.dying):
            return
        if statement.stoppable:
            actor.perish()
        if actor.dying or _is_private(statement.sql):
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
            event.writing = actor.in_transaction()
            self.played.events.append(event)
        actor.last, actor.dirty, actor.unread = statement, True, False
        if self._content is not None and not actor.in_transaction():
            actor.snapshot = self._content.number() or 0
        self._told(actor, (statement.sql, plain(statement.parameters)))

    def ended(self, statement: Statement, seen: object) -> None:
        """Learn that a call ended."""
        actor = self._mine(statement.connection)
        if actor is None or actor.freed:
            return
        if self._timeouts is not None:
            self._timeouts.ran(statement.connection, statement.sql)
        self._told(actor, plain(seen))
        actor.unread = statement.sql.lstrip()[:6].upper() in ("SELECT", "WITH") or "RETURNING" in statement.sql.upper()

    def failed(self, statement: Statement, error: sqlite3.Error) -> bool:
        """Learn that a call failed; where SQLite's own waiting is out of reach, wait here and run it again."""
        actor = self._mine(statement.connection)
        if actor is None:
            return False
        actor.perish()
        if is_lock_error(error):
            # It changed nothing, so nobody who waits need look again: two that retry would wake each other for ever.
            actor.dirty = False
        if self._timeouts is not None and self._timeouts.waits(statement.connection, error):
            self._wait_by_statement(actor, self._timeouts.of(statement.connection))
            if not actor.gives_up:
                return True
        name = getattr(error, "sqlite_errorname", None) or type(error).__name__
        self._told(actor, name)
        if actor.event is not None:
            actor.event.notes.append(f"=> {name}")
        return False

    def _wait_by_statement(self, actor: Actor, timeout: float) -> None:
        if actor.freed:
            actor.gives_up = True
        if actor.gives_up:
            return
        actor.wakes = self._clock.seconds + timeout
        self._wait_for_others(actor, "blocked")
        actor.perish()
        actor.gives_up |= self._clock.seconds >= actor.wakes
        if actor.gives_up:
            actor.waited += timeout
            self._clock.milliseconds = max(self._clock.milliseconds, round(actor.wakes * 1000))

    def fetched(self, connection: sqlite3.Connection, rows: Sequence[object]) -> None:
        """Learn of rows that the caller was given."""
        actor = self._mine(connection)
        if actor is None or actor.freed:
            return
        if not rows:
            actor.unread = False
        self._told(actor, plain(rows))
        if actor.event is not None and rows:
            actor.event.notes += [f"=> {_row(row)}" for row in rows]

    def closing(self, connection: sqlite3.Connection) -> None:
        """Learn that a connection is about to be closed."""
        actor = self._mine(connection)
        if actor is not None and connection in actor.connections:
            actor.dirty = True

    # --- how long an actor waits ------------------------------------------------------------------------------------

    def is_mine(self) -> bool:
        """Whether the running thread works for an actor."""
        return self._mine() is not None

    def lock_wait(self, seconds: float) -> None:
        """Wait until somebody else's step may have freed the lock."""
        actor = self._mine()
        if actor is None or actor.freed:
            return
        actor.waited += seconds
        if actor.gives_up:
            self._clock.advance(seconds)
            return
        actor.wakes = self._clock.seconds + seconds
        self._wait_for_others(actor, "blocked")

    def sleep(self, seconds: float) -> None:
        """Sleep until somebody else's step may have changed something, or nobody else can go on."""
        actor = self._mine()
        if actor is None or actor.freed:
            return
        actor.wakes = (int((self._clock.seconds + seconds) / _GRAIN) + 1) * _GRAIN
        self._log(actor, "sleep", f"sleeps {actor.wakes - self._clock.seconds:.2f} s")
        self._wait_for_others(actor, "asleep")
        actor.perish()

    def _wait_for_others(self, actor: Actor, how: Any) -> None:  # noqa: ANN401 - a literal of Holder's
        holders = [one for one in self._actors if one is not actor and one.in_transaction()]
        if how == "blocked" and actor.event is not None:
            names = " and ".join(letter(one.index) for one in holders) or "nobody that is left"
            note = f"=> blocked by {names}"
            actor.event.notes += [] if note in actor.event.notes else [note]
        actor.stoppable = False
        self._told(actor, how)
        actor.wait(how)

    def monotonic(self) -> float:
        """Return virtual seconds."""
        return self._clock.seconds


def _is_private(sql: str) -> bool:
    text = sql.lstrip().lower()
    return text.startswith("pragma") and text[6:].lstrip().startswith(_PRIVATE)


def _row(row: object) -> str:
    return repr(tuple(row)) if isinstance(row, sqlite3.Row) else repr(row)


def _shown(statement: Statement) -> str:
    text = " ".join(statement.sql.split())
    return f"{text} {statement.parameters!r}" if statement.parameters else text

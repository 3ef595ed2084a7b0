"""One run of a scenario under one schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq.interleaving.baton import StuckError
from pytest_taskq.interleaving.choices import Choice
from pytest_taskq.interleaving.events import NOBODY, Called, Event, Played, arrow, letter
from pytest_taskq.interleaving.scenario import Player
from pytest_taskq.interleaving.search import DivergedError, Node
from pytest_taskq.subject.transcript import call_line
from pytest_taskq.subject.violation import Died

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from pytest_taskq.interleaving.actor import Actor
    from pytest_taskq.interleaving.choices import Schedule
    from pytest_taskq.interleaving.entropy import Entropy
    from pytest_taskq.interleaving.scenario import Scenario
    from pytest_taskq.interleaving.stage import Stage
    from pytest_taskq.subject import Outcome, QueueUnderTest

_MOST_STEPS = 3_000


class Execution:
    """Runs the scripts of a scenario, one actor at a time, as the schedule says and then without deviation.

    Who sleeps after it met a lock goes on when another's step may have freed it: before that it would only meet it
    again. Who sleeps for another reason may go on at any moment, which is a choice, and time moves on to its waking.
    ``loosely``: where a step of the schedule is not possible, who is next without deviation goes on instead.
    """

    def __init__(
        self,
        scenario: Scenario,
        stage: Stage,
        queues: Sequence[QueueUnderTest],
        prepared: Any,  # noqa: ANN401 - what the scenario prepared
        entropy: Entropy,
        *,
        loosely: bool = False,
    ) -> None:
        self.scenario = scenario
        self._loosely = loosely
        self._stage = stage
        self._queues = queues
        self._prepared = prepared
        self._entropy = entropy
        self._actors = stage.actors
        self._clock = stage.clock
        self._played = stage.played
        self._disbanded = False
        self._jumped = False
        self._last: int | None = None
        self._queued: list[int] = []  # who waits outside, in the order in which they came there

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
            if self._stage.content is not None:
                self._stage.content.number()
                self._played.largest_drop = self._stage.content.largest_drop
        return self._played

    def _follow(self, schedule: Schedule, seen: Callable[[Hashable], bool]) -> None:
        place = 0
        while options := self._options():
            self._forget_reads()
            state = self._noted(self._stage.committed())
            if place == _MOST_STEPS:
                raise StuckError
            costs = tuple(self._cost(option) for option in options)
            if place < len(schedule):
                chosen = self._scheduled(schedule, place, options, costs)
            else:
                if not self._stage.opaque and state is not None and seen(state):
                    self._played.complete = False
                    return
                chosen = costs.index(0)
            self._played.nodes.append(Node(options, costs, chosen))
            self._take(options[chosen])
            place += 1

    def _scheduled(self, schedule: Schedule, place: int, options: tuple[Choice, ...], costs: tuple[int, ...]) -> int:
        if schedule[place] in options:
            return options.index(schedule[place])
        if not self._loosely:
            raise DivergedError(f"step {place + 1}, {schedule[place].letter}, is not possible any more")
        if self._played.strayed is None:
            self._played.strayed = place
        return costs.index(0)

    def _options(self) -> tuple[Choice, ...]:
        ready = [actor for actor in self._actors if actor.waiting == "ready"] or self._woken()
        dozing = [actor for actor in self._actors if self._dozes(actor) and actor not in ready]
        running = [Choice("run", actor.index) for actor in ready]
        running.sort(key=lambda choice: (choice.actor != self._last, choice.actor))
        running += [Choice("run", actor.index) for actor in dozing]
        if not running:
            return ()
        mortal = [actor for actor in ready if actor.index in self.scenario.mortal and actor.stoppable]
        dying = [] if self._played.died else [Choice("die", actor.index) for actor in mortal]
        jumps = [Choice("jump")] if self.scenario.jump and not self._jumped else []
        return (*running, *dying, *jumps)

    def _woken(self) -> list[Actor]:
        """Return who goes on when nobody can: whose time comes first, or of those that wait for each other, any."""
        waiting = [actor for actor in self._actors if actor.waiting in ("asleep", "blocked")]
        outside = [actor for actor in self._actors if actor.waiting == "outside"]
        if not waiting and outside:
            self._await(outside)
            return [actor for actor in outside if actor.waiting == "ready"]
        if all(actor.waiting == "blocked" for actor in waiting):
            return waiting
        first = min(waiting, key=lambda actor: (actor.wakes, actor.index))
        self._stage.reach(first.wakes)
        return [first]

    def _await(self, outside: list[Actor]) -> None:
        """Wait, in real time, for what nobody else can bring about: a server ends a deadlock by itself."""
        if not self._stage.site.lets_go:
            raise StuckError
        self._stage.baton.await_one(outside)
        self._stage.baton.settle(outside)

    def _dozes(self, actor: Actor) -> bool:
        """Whether it sleeps for no lock, so that what it finds when it goes on does not depend on anybody's commit."""
        return actor.waiting == "asleep" and not actor.met_lock and actor.index not in self.scenario.unhurried

    def _cost(self, option: Choice) -> int:
        if option.kind != "run":
            return 1
        if self._dozes(self._actors[option.actor]) and any(actor.waiting == "ready" for actor in self._actors):
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
        order = tuple(self._queued)
        return committed, self._clock.milliseconds, last, self._jumped, tuple(self._played.died), order, actors

    def _forget_reads(self) -> None:
        """Let what a transaction has seen be all the same, if nothing came of it but what its worker was told."""
        last = None if self._last is None else self._actors[self._last]
        if last is None or last.waiting != "ready" or not last.in_transaction():
            return
        if self._stage.site.has_only_read(last):
            last.snapshot = 0

    def _noted(self, committed: int | None) -> Hashable:
        """Return the state, kept for the next statement; one that waits may depend on each state that it waits in."""
        before, outside = self._queued, [actor.index for actor in self._actors if actor.waiting == "outside"]
        self._queued = [one for one in before if one in outside] + [one for one in outside if one not in before]
        state = self._state(committed)
        if self._stage.site.by_statement:
            self._stage.moment = self._stage.number(object() if state is None else state)
            for actor in (self._actors[index] for index in {*before, *outside}):
                actor.snapshot = self._stage.number((actor.snapshot, self._stage.moment))
        return state

    def _take(self, choice: Choice) -> None:
        if choice.kind == "jump":
            self._jumped = True
            self._clock.advance(self.scenario.jump)
            self._played.events.append(Event(NOBODY, "time", f"{self.scenario.jump:g} s pass", at=self._clock.seconds))
            self._wake_sleepers()
            return
        actor = self._actors[choice.actor]
        if choice.kind == "die":
            actor.dying = True
            self._played.died.add(actor.index)
            what = actor.event.text if actor.event is not None else ""
            actor.event = None
            self._played.events.append(Event(actor.index, "death", f"dies before {what}", at=self._clock.seconds))
        else:
            if self._dozes(actor):
                self._stage.reach(actor.wakes)
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
        self._stage.running = actor
        try:
            self._stage.site.begin_step()
            self._stage.baton.lend(actor)
            self._note_blockers(actor)
            outside = [one for one in self._actors if one.waiting == "outside"]
            if outside:
                self._stage.baton.settle(outside)
        except StuckError:
            self._disband()
            raise
        finally:
            self._stage.running = None

    def _note_blockers(self, actor: Actor) -> None:
        if actor.waiting == "outside" and actor.event is not None and (found := self._stage.site.blockers(actor)):
            actor.event.notes.append(f"=> blocked by {' and '.join(map(letter, found))}")

    def _end(self) -> None:
        """Let every thread run out; those that did not finish are made to."""
        for actor in self._actors:
            if actor.waiting != "finished":
                actor.dying = actor.freed = actor.gives_up = True
        for _ in range(_MOST_STEPS):
            able = [actor for actor in self._actors if actor.waiting not in ("finished", "outside")] or self._let_go()
            if not able or self._disbanded:
                break
            self._lend(able[0])
        if any(actor.waiting == "outside" for actor in self._actors):
            self._disband()
            raise StuckError

    def _let_go(self) -> list[Actor]:
        """Return who comes back from the server, when all that are left wait there."""
        outside = [actor for actor in self._actors if actor.waiting == "outside"]
        if outside and self._stage.site.lets_go:
            self._await(outside)
        return [actor for actor in outside if actor.waiting == "ready"]

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
            self._played.broken = self._played.broken or error
        self._leave(actor, queue)

    def _leave(self, actor: Actor, queue: QueueUnderTest) -> None:
        actor.freed = True
        if actor.dying:
            queue.abandon()
        else:
            try:
                queue.close_actor()
            except Exception as error:  # noqa: BLE001 - the adapter's own; raised again by whoever made the run
                self._played.broken = self._played.broken or error
        actor.close_connections()

    def _call(
        self, actor: Actor, queue: QueueUnderTest, method: str, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Outcome:
        call = Called(actor.index, method, arguments, began=len(self._played.events))
        self._played.calls.append(call)
        actor.waited, call.since = 0.0, self._clock.seconds
        self._stage.log(actor, "call", call_line(method, arguments, keywords))
        outcome = queue.attempt(method, *arguments, **keywords)
        actor.perish()
        call.outcome, call.ended, call.until = outcome, len(self._played.events), self._clock.seconds
        call.seconds = max(actor.waited, call.until - call.since)
        self._stage.told(actor, method)
        self._stage.log(actor, "return", arrow(outcome))
        return outcome

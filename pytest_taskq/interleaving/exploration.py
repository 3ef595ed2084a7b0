"""All runs of one scenario against the code under test: prepared once, explored, sampled again, replayed."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_taskq.interleaving.actor import Interner
from pytest_taskq.interleaving.aftermath import Aftermath, UnseenError
from pytest_taskq.interleaving.baton import StuckError
from pytest_taskq.interleaving.entropy import repeatable
from pytest_taskq.interleaving.execution import Execution
from pytest_taskq.interleaving.listening import Listener
from pytest_taskq.interleaving.on_sqlite import SqliteGround
from pytest_taskq.interleaving.search import DivergedError, Explored, Search
from pytest_taskq.interleaving.stage import Stage
from pytest_taskq.subject.store import POSTGRESQL
from pytest_taskq.subject.violation import ContractViolation, InconclusiveError, InexactTimeError, NotJudgedError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator
    from contextlib import AbstractContextManager

    from pytest_taskq.interleaving.choices import Schedule
    from pytest_taskq.interleaving.entropy import Entropy
    from pytest_taskq.interleaving.events import Played
    from pytest_taskq.interleaving.scenario import Scenario
    from pytest_taskq.interleaving.site import Ground, Site
    from pytest_taskq.subject import Bench, QueueUnderTest

_SAMPLE = 50  # one complete run of so many is made again


@dataclass(frozen=True)
class Counterexample:
    """A run that broke the requirement, and what its judge said."""

    played: Played
    violation: ContractViolation

    @property
    def schedule(self) -> Schedule:
        """What was chosen."""
        return tuple(node.choice for node in self.played.nodes)


@dataclass(frozen=True)
class Searched:
    """What a search of a scenario came to; ``rows_seen`` is whether equal states could be told."""

    explored: Explored
    rows_seen: bool
    found: Counterexample | None


@dataclass
class Exploration:
    """Explores ``scenario`` on ``bench``; used inside ``bench.run``."""

    scenario: Scenario
    bench: Bench
    explored: Explored = field(default_factory=Explored)
    rows_seen: bool = True
    _interner: Interner = field(default_factory=Interner)
    _steady: Callable[[str], str] = str

    def search(self, most_runs: int, most_deviations: int | None = None) -> Searched:
        """Return what was explored, up to the first schedule that breaks the requirement, with the fewest deviations.

        Raises UnseenError, NotJudgedError or InconclusiveError where the runs say nothing.
        """
        with self._staged() as play:
            search = Search(play, most_runs, most_deviations, self.explored)
            for number, played in enumerate(search):
                self.bench.tell(f"run {number + 1} of at most {most_runs}, {self.scenario.name}")
                found = self._judged(played)
                if found is not None:
                    self._again(play, found.played)
                    return self._searched(found)
                if played.complete and number % _SAMPLE == 0:
                    self._again(play, played)
        return self._searched(None)

    def _searched(self, found: Counterexample | None) -> Searched:
        return Searched(self.explored, self.rows_seen, found)

    def replay(self, schedule: Schedule) -> tuple[Played, ContractViolation | None]:
        """Run one schedule, or as much of it as the code lets; return what happened and what its judge said."""
        with self._staged(loosely=True) as play:
            played = play(schedule, _never)
            found = self._judged(played)
        return played, None if found is None else found.violation

    # --- one run ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _staged(self, *, loosely: bool = False) -> Iterator[Callable[[Schedule, Callable[[Hashable], bool]], Played]]:
        with self._ground() as ground, repeatable() as entropy:
            entropy.begin_step(0, 0)
            given = ground.prepare(self.scenario.prepare)
            self._steady = ground.steady
            yield lambda schedule, seen: self._exactly(
                lambda: self._play(ground, given, entropy, schedule, seen, loosely=loosely)
            )

    def _exactly(self, play: Callable[[], Played]) -> Played:
        """Return a run, made again where it was too slow; if it always is, nothing is gained by preparing it again."""
        try:
            return self.bench.exactly(play)
        except InexactTimeError as error:
            raise InconclusiveError(str(error)) from error

    def _ground(self) -> AbstractContextManager[Ground]:
        if self.bench.backend == POSTGRESQL:
            from pytest_taskq.interleaving.on_postgres import PostgresGround

            return PostgresGround(self.bench, self._interner, jumps=bool(self.scenario.jump))
        ground: Ground = SqliteGround(self.bench, self._interner)
        return nullcontext(ground)

    def _play(
        self,
        ground: Ground,
        given: Any,  # noqa: ANN401 - what the scenario prepared
        entropy: Entropy,
        schedule: Schedule,
        seen: Callable[[Hashable], bool],
        *,
        loosely: bool,
    ) -> Played:
        with ground.site() as site:
            queue = site.queue
            stage = Stage(len(self.scenario.scripts), site, self.bench.clock, self._interner, self.bench.call_limit)
            queues = [queue.another(apart=True) for _ in self.scenario.scripts]
            execution = Execution(self.scenario, stage, queues, given, entropy, loosely=loosely)
            played = self._run(execution, stage, schedule, seen)
            self.rows_seen = self.rows_seen and not stage.opaque
            site.check_seen(stage)
            if played.complete:  # a run that was cut short may have been so before its first statement
                self._judge(site, given, played)
        return played

    def _run(self, execution: Execution, stage: Stage, schedule: Schedule, seen: Callable[[Hashable], bool]) -> Played:
        try:
            with stage.site.telling(Listener(stage)):
                return execution.run(schedule, seen)
        except StuckError:
            raise NotJudgedError(
                f"an actor of {self.scenario.name} neither came to its next statement nor ended within "
                f"{self.bench.call_limit:g} s: it waits for something outside the database that another actor holds "
                "(a lock in Python, a thread of its own), or it never ends"
            ) from None
        except DivergedError as error:
            raise InconclusiveError(
                f"the code is not repeatable in {self.scenario.name}: {error}; it depends on something beside what the "
                "database tells it (its own randomness, a cache that outlives a run, other threads)"
            ) from None

    def _judge(self, site: Site, given: Any, played: Played) -> None:  # noqa: ANN401 - what the scenario prepared
        if site.queue.subject.standalone:  # its store may be elsewhere, so what it did here is no finding
            _require_statements(played, site)
        if played.broken is None:
            self._ask_judge(site.queue, given, played)
        if played.broken is None:  # what is wrong without any statement is wrong in any schedule
            _require_statements(played, site)

    def _ask_judge(self, queue: QueueUnderTest, given: Any, played: Played) -> None:  # noqa: ANN401 - as above
        try:
            self.scenario.judge(Aftermath(played, queue, given))
        except (ContractViolation, NotJudgedError) as error:
            played.broken = error

    def _judged(self, played: Played) -> Counterexample | None:
        if played.broken is None:
            return None
        if isinstance(played.broken, ContractViolation):
            return Counterexample(played, played.broken)
        raise played.broken

    def _again(self, play: Callable[[Schedule, Callable[[Hashable], bool]], Played], first: Played) -> None:
        """Run a schedule once more; code that then does something else is not judged by schedules."""
        second = play(tuple(node.choice for node in first.nodes), _never)
        for before, after in zip(first.events, second.events, strict=False):
            if str(before) != str(after) and self._steady(str(before)) != self._steady(str(after)):
                raise InconclusiveError(
                    f"the code is not repeatable in {self.scenario.name}: the same schedule gave {before} and then "
                    f"{after}; it depends on something beside what the database tells it"
                )
        if len(first.events) != len(second.events):
            raise InconclusiveError(f"the code is not repeatable in {self.scenario.name}: one run was longer")


def _require_statements(played: Played, site: Site) -> None:
    """Raise UnseenError if nothing was seen to run."""
    if not any(event.kind == "statement" for event in played.events):
        raise UnseenError(f"no statement of its calls goes through {site.driver.name}, so none can be scheduled")


def _never(_: Hashable) -> bool:
    return False

"""All runs of one scenario against the code under test: prepared once, explored, sampled again, replayed."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_taskq.interleaving.actor import Interner
from pytest_taskq.interleaving.aftermath import Aftermath, UnseenError
from pytest_taskq.interleaving.baton import StuckError
from pytest_taskq.interleaving.content import Content
from pytest_taskq.interleaving.entropy import repeatable
from pytest_taskq.interleaving.execution import Execution
from pytest_taskq.interleaving.listening import Listener
from pytest_taskq.interleaving.opens import FileOpens
from pytest_taskq.interleaving.search import DivergedError, Explored, Search
from pytest_taskq.interleaving.stage import Stage
from pytest_taskq.interleaving.timeouts import Timeouts
from pytest_taskq.interleaving.waits import waits_decided_by, why_no_busy_handler
from pytest_taskq.sqlite.files import StoreFiles, is_sqlite
from pytest_taskq.sqlite.statements import HOOK
from pytest_taskq.subject.violation import ContractViolation, InconclusiveError, NotJudgedError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping

    from pytest_taskq.interleaving.choices import Schedule
    from pytest_taskq.interleaving.entropy import Entropy
    from pytest_taskq.interleaving.events import Played
    from pytest_taskq.interleaving.scenario import Scenario
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
class Prepared:
    """What a scenario begins with: the files of its store, the moment, and what its scripts were given."""

    files: Mapping[str, bytes]
    moment: int
    given: Any


@dataclass
class Exploration:
    """Explores ``scenario`` on ``bench``; used inside ``bench.run``."""

    scenario: Scenario
    bench: Bench
    explored: Explored = field(default_factory=Explored)
    rows_seen: bool = True
    _interner: Interner = field(default_factory=Interner)

    def search(self, most_runs: int, most_deviations: int | None = None) -> Searched:
        """Return what was explored, up to the first schedule that breaks the requirement, with the fewest deviations.

        Raises UnseenError, NotJudgedError or InconclusiveError where the runs say nothing.
        """
        with self._staged() as play:
            search = Search(play, most_runs, most_deviations, self.explored)
            for number, played in enumerate(search):
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
        """Run one schedule; return what happened and what its judge said."""
        with self._staged() as play:
            played = play(schedule, _never)
            found = self._judged(played)
        return played, None if found is None else found.violation

    # --- one run ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _staged(self) -> Iterator[Callable[[Schedule, Callable[[Hashable], bool]], Played]]:
        with repeatable() as entropy:
            entropy.begin_step(0, 0)
            prepared = self._prepare()
            yield lambda schedule, seen: self._play(prepared, entropy, schedule, seen)

    def _prepare(self) -> Prepared:
        with StoreFiles() as files, self.bench.queue() as queue:
            given = self.scenario.prepare(queue)
            path, moment = queue.path, self.bench.clock.milliseconds
            queue.close_actor()
            return Prepared(files.image(path.parent), moment, given)

    def _play(
        self, prepared: Prepared, entropy: Entropy, schedule: Schedule, seen: Callable[[Hashable], bool]
    ) -> Played:
        self.bench.clock.milliseconds = prepared.moment
        with self.bench.restored(prepared.files) as queue, FileOpens(queue.path) as opens:
            sqlite = is_sqlite(prepared.files.get(queue.path.name, b""))
            content = Content(queue.path, self._interner) if sqlite else None
            try:
                stage = self._stage(queue, content)
                played = self._run(self._execution(prepared, queue, stage, entropy), stage, schedule, seen)
                self._check_seen(stage, opens)
                if played.complete:  # a run that was cut short may have been so before its first statement
                    self._judge(queue, prepared, played)
            finally:
                if content is not None:
                    content.close()
        return played

    def _stage(self, queue: QueueUnderTest, content: Content | None) -> Stage:
        return Stage(
            len(self.scenario.scripts),
            queue.path.parent,
            self.bench.clock,
            self._interner,
            content,
            self.bench.call_limit,
        )

    def _execution(self, prepared: Prepared, queue: QueueUnderTest, stage: Stage, entropy: Entropy) -> Execution:
        queues = [queue.another(apart=True) for _ in self.scenario.scripts]
        return Execution(self.scenario, stage, queues, prepared.given, entropy)

    def _run(self, execution: Execution, stage: Stage, schedule: Schedule, seen: Callable[[Hashable], bool]) -> Played:
        listener = Listener(stage, Timeouts() if why_no_busy_handler() else None)
        try:
            with HOOK.telling(listener), waits_decided_by(listener):
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

    def _check_seen(self, stage: Stage, opens: FileOpens) -> None:
        self.rows_seen = self.rows_seen and not stage.opaque
        unseen = opens.count - stage.connections
        if unseen > 0:
            raise UnseenError(
                f"{unseen} of {opens.count} connections to the store were not opened through sqlite3.connect, so their "
                "statements cannot be scheduled"
            )

    def _judge(self, queue: QueueUnderTest, prepared: Prepared, played: Played) -> None:
        if queue.subject.standalone:  # its store may be elsewhere, so what it did here is no finding
            _require_statements(played)
        if played.broken is None:
            self._ask_judge(queue, prepared, played)
        if played.broken is None:  # what is wrong without any statement is wrong in any schedule
            _require_statements(played)

    def _ask_judge(self, queue: QueueUnderTest, prepared: Prepared, played: Played) -> None:
        try:
            self.scenario.judge(Aftermath(played, queue, prepared.given))
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
            if str(before) != str(after):
                raise InconclusiveError(
                    f"the code is not repeatable in {self.scenario.name}: the same schedule gave {before} and then "
                    f"{after}; it depends on something beside what the database tells it"
                )
        if len(first.events) != len(second.events):
            raise InconclusiveError(f"the code is not repeatable in {self.scenario.name}: one run was longer")


def _require_statements(played: Played) -> None:
    """Raise UnseenError if nothing was seen to run."""
    if not any(event.kind == "statement" for event in played.events):
        raise UnseenError("no statement of its calls goes through Python's sqlite3, so none can be scheduled")


def _never(_: Hashable) -> bool:
    return False

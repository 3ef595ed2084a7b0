"""Four processes on one file or schema, each in a cycle of enqueue, claim and complete.

The processes live through all levels, candidates and rounds; before each round they wait for one another, so that none
has the file for itself. Rounds of the candidates alternate, as in ``single``.
"""

from __future__ import annotations

import multiprocessing
import sqlite3
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from pytest_taskq.reference_impl import QueueBusyError

from .queues.candidate import load

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Barrier

    from .places import Places
    from .queues.candidate import Candidate

PROCESSES = 4
LOCK_ERRORS = (sqlite3.OperationalError, QueueBusyError)
# A serialization failure, a deadlock, a lock not available: whatever driver says so.
LOCK_STATES = frozenset({"40001", "40P01", "55P03"})


@dataclass(frozen=True, slots=True)
class CrewSize:
    """How much is measured: tasks that wait when a round begins, rounds, seconds of each."""

    depth: int
    rounds: int
    seconds: float


@dataclass(slots=True)
class Share:
    """What one process did in one round."""

    cycles: int = 0
    seconds: float = 0.0
    lock_errors: int = 0
    found_nothing: int = 0
    claimed: list[Hashable] = field(default_factory=list)
    latencies: dict[str, list[float]] = field(default_factory=lambda: {"enqueue": [], "claim": [], "complete": []})


@dataclass(slots=True)
class Rounds:
    """What the crew did with one candidate: a list of shares per round, and the tasks that were there after it."""

    name: str
    records_completion: bool
    depth: int
    shares: list[list[Share]] = field(default_factory=list)
    left: list[list[Hashable]] = field(default_factory=list)


def measure(crew: Crew, specs: Sequence[str], synchronous: str, size: CrewSize, places: Places) -> list[Rounds]:
    """Return the rounds of every candidate, in the order of ``specs``."""
    results = [Rounds(load(spec).name, load(spec).records_completion, size.depth) for spec in specs]
    for turn in range(size.rounds):
        for number, spec in enumerate(specs):
            with places.fresh(f"crew-{number}-{turn}", synchronous) as place:
                _filled(load(spec)(place, synchronous), size.depth)
                places.settle(place)
                results[number].shares.append(crew.work((spec, place, synchronous, size.seconds)))
                results[number].left.append(_emptied(load(spec)(place, synchronous)))
    return results


def _filled(candidate: Candidate, depth: int) -> None:
    for _ in range(depth):
        candidate.enqueue()
    candidate.close()


def _emptied(candidate: Candidate) -> list[Hashable]:
    """Return the identities of what can still be claimed."""
    left = []
    while (claimed := candidate.claim()) is not None:
        left.append(candidate.identity(claimed))
    candidate.close()
    return left


class Crew:
    """The processes, each at the end of a pipe; what the candidates need takes each of them a second to import."""

    def __enter__(self) -> Self:
        spawn = multiprocessing.get_context("spawn")
        self._barrier = spawn.Barrier(PROCESSES)  # held here until the children have opened theirs
        self._pipes = []
        self._processes = []
        for _ in range(PROCESSES):
            mine, theirs = spawn.Pipe()
            process = spawn.Process(target=_live, args=(theirs, self._barrier), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(mine)
            self._processes.append(process)
        return self

    def work(self, order: tuple[str, str, str, float]) -> list[Share]:
        """Return what each process did. Raises RuntimeError if one of them failed."""
        for pipe in self._pipes:
            pipe.send(order)
        answers = [pipe.recv() for pipe in self._pipes]
        for answer in answers:
            if not isinstance(answer, Share):
                raise RuntimeError(  # noqa: TRY004 - not the type of an argument
                    f"a process of the crew failed at {order[0]}: {answer}"
                )
        return answers

    def __exit__(self, *exc_info: object) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(timeout=30)
            if process.is_alive():
                process.kill()


def _live(orders: Connection, barrier: Barrier) -> None:
    while True:
        try:
            spec, place, synchronous, seconds = orders.recv()
        except EOFError:
            return
        try:
            candidate = load(spec)(place, synchronous)
            barrier.wait(timeout=60)
            share = _work(candidate, seconds)
            barrier.wait(timeout=60 + seconds)  # the last to close may have to write the whole log back
            candidate.close()
        except Exception as error:  # noqa: BLE001 - told to the parent, which stops
            barrier.abort()
            orders.send(f"{type(error).__name__}: {error}")
            return
        orders.send(share)


def _work(candidate: Candidate, seconds: float) -> Share:
    share = Share()
    began = time.perf_counter()
    deadline = began + seconds
    while time.perf_counter() < deadline:
        try:
            _cycle(share, candidate)
        except Exception as error:
            if not is_lock_error(error):
                raise
            share.lock_errors += 1
    share.seconds = time.perf_counter() - began
    return share


def is_lock_error(error: BaseException | None) -> bool:
    """Whether it says that others were in the way, itself or by its cause."""
    if error is None:
        return False
    state = getattr(error, "sqlstate", None)
    return isinstance(error, LOCK_ERRORS) or state in LOCK_STATES or is_lock_error(error.__cause__)


def _cycle(share: Share, candidate: Candidate) -> None:
    _timed(share, "enqueue", candidate.enqueue)
    claimed = _timed(share, "claim", candidate.claim)
    if claimed is None:
        share.found_nothing += 1
        return
    share.claimed.append(candidate.identity(claimed))
    _timed(share, "complete", lambda: candidate.complete(claimed))
    share.cycles += 1


def _timed(share: Share, operation: str, call: Callable[[], object]) -> object:
    began = time.perf_counter()
    result = call()
    share.latencies[operation].append(time.perf_counter() - began)
    return result

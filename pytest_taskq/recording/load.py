"""The load run: four workers on a deep queue, in blocks, and the reference's blocks between them."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from pytest_taskq.contract import Verdict
from pytest_taskq.latency.load import LEAST_SHARE, WINDOW, Throughput, Trial, block_of, least_share
from pytest_taskq.recording.stage import Recording
from pytest_taskq.subject.invocation import Invoker
from pytest_taskq.subject.store import FileStore, dsn_of
from pytest_taskq.subject.stores import initialise
from pytest_taskq.subject.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.history import Operation
    from pytest_taskq.latency.load import Block
    from pytest_taskq.recording.stage import Stage
    from pytest_taskq.subject.store import Store

REFERENCE = "pytest_taskq.reference_impl:Adapter"
THINK = 0.005  # seconds of work on a task, on average, where there is any
_PUT = "INSERT INTO task_queue (type, payload, run_after_utc) VALUES ('job', ?, '2001-02-03 04:05:06')"
_AHEAD = 1.5  # times as many tasks wait as are expected to be taken
_LEAST = 1_000


class Mill:
    """Blocks of the load run on one stage; before each there are more tasks than it can take."""

    def __init__(
        self, stage: Stage, control: Store | None = None, *, think: float = 0.0, enqueue: bool = False
    ) -> None:
        self.operations: list[Operation] = []
        self._stage = stage
        self._control = control
        self._think = think
        self._enqueue = enqueue
        self._left = {True: 0, False: 0}
        self._rate = {True: 0.0, False: 0.0}  # claims a second, of the reference and of the queue under test

    def block(self, seconds: float, *, control: bool = False) -> Block:
        """Let the queue under test work for ``seconds``, or the reference."""
        stage = self._stage
        self._fill(round(_AHEAD * seconds * self._rate[control]) + _LEAST, control=control)
        stage.queue.tell(f"{'the reference' if control else 'the queue'} under load for {seconds:.3g} s")
        job = stage.job("mill", seconds, think=self._think, enqueue=self._enqueue)
        if control and self._control is not None:
            job = replace(job, dsn=self._control.dsn, adapter=REFERENCE, ways=[("claim_task",)], warm=True)
            job.extra["complete"] = True
        operations, answers = stage.crew.run(job, stage.folder)
        if not control:
            self.operations += operations
        delayed = {f"w{number}": one["delayed"] for number, one in enumerate(answers)}
        block = block_of(operations, delayed, min(one["end"] for one in answers))
        taken = sum(one.claimed for one in block.turns)
        self._left[control] -= taken
        self._rate[control] = max(self._rate[control], taken / max(block.seconds, 1e-9))
        return block

    def _fill(self, wanted: int, *, control: bool) -> None:
        missing = wanted - self._left[control]
        if missing <= 0:
            return
        self._left[control] += missing
        if control and self._control is not None:
            put(self._control, missing)
        elif self._stage.subject.shared_schema:
            put(self._stage.queue.store, missing)
        else:
            self._stage.work("stock", 0.0, ways=(), size=1, count=missing)

    def pair(self, seconds: float, chance: Random) -> tuple[Block, Block]:
        """Return a block of the queue under test and one of the reference, in an order drawn at random."""
        first = chance.random() < 0.5  # noqa: PLR2004 - even chances
        blocks = {control: self.block(seconds, control=control) for control in (first, not first)}
        return blocks[False], blocks[True]


def put(store: Store, count: int) -> None:
    """Insert ``count`` due tasks by plain SQL."""
    connection = store.connect()
    try:
        connection.run_each(_PUT, [('{"taskq": "load"}',)] * count)
    finally:
        connection.close()


@contextmanager
def control_of(stage: Stage) -> Iterator[Store]:
    """Yield a store beside that of the stage with the tables of the reference, for its blocks."""
    reference = Subject.load(REFERENCE)
    with _place(stage) as store:
        initialise(reference, store, Invoker())
        yield store


@contextmanager
def _place(stage: Stage) -> Iterator[Store]:
    if not stage.subject.standalone:
        with stage.queue.store.bare("control") as store:
            yield store
        return
    path = stage.folder / "control" / "queue.db"
    path.parent.mkdir()
    yield FileStore(path, dsn_of(path))


# --- fairness ---------------------------------------------------------------------------------------------------------

_LIMITS = {"smoke": 4.0, "pr": 20.0, "soak": 300.0}  # seconds of one window
_TASTE = 0.2  # seconds of the block that shows how long a window has to be
_BRIEF, _IN_A_BLOCK = 0.15, 100  # seconds and claims of a block of the trial, at least
_LOOKS = (36, 50, 64)  # pairs after which the trial is judged
_FUTILE = 10  # pairs of which half must have spoken against the queue for the trial to go on


@dataclass(frozen=True, slots=True)
class Window:
    """A block of WINDOW claims or more, as far as the time allowed, and the trial of the suspicion that it raised."""

    think: float
    block: Block
    limit: float
    trial: Trial | None = None

    @property
    def is_whole(self) -> bool:
        """Whether there were claims enough to compare shares."""
        return sum(self.block.claims) >= WINDOW

    @property
    def is_even(self) -> bool:
        """Whether none got too little."""
        return least_share(self.block.claims) >= LEAST_SHARE


def thinks(stage: Stage) -> tuple[float, ...]:
    """Return the seconds of work on a task that are tried: none, and unless in a hurry some."""
    return (0.0,) if stage.budget.effort == "smoke" else (0.0, THINK)


def fair_shares(stage: Stage, longer: int) -> Recording:
    """Compare shares without and with work between; an uneven window is tried beside the reference."""
    del longer
    windows: list[Window] = []
    operations: list[Operation] = []
    with control_of(stage) as control:
        for think in thinks(stage):
            mill = Mill(stage, control, think=think)
            windows.append(_window(stage, mill, think))
            operations += mill.operations
    return Recording(operations=tuple(operations), answers={"windows": windows})


def _window(stage: Stage, mill: Mill, think: float) -> Window:
    limit = _LIMITS[stage.budget.effort]
    rate = _claims_a_second(mill.block(_TASTE))
    if rate * limit < WINDOW / 2:  # it may have begun slowly
        rate = _claims_a_second(mill.block(4 * _TASTE))
    if rate * limit < WINDOW / 2:
        return Window(think, mill.block(_TASTE), limit)
    window = mill.block(min(limit, 1.25 * WINDOW / rate))
    if sum(window.claims) < WINDOW:  # it went slower than it had begun
        window = mill.block(min(limit, 1.5 * WINDOW / max(_claims_a_second(window), 1.0)))
    found = Window(think, window, limit)
    if not found.is_whole or found.is_even:
        return found
    length = max(_BRIEF, _IN_A_BLOCK / _claims_a_second(window))
    return replace(found, trial=_trial(mill, length, Random(stage.budget.seed_for("trial"))))  # noqa: S311 - of the run


def _claims_a_second(block: Block) -> float:
    return sum(block.claims) / max(block.window, 1e-9)


def _trial(mill: Mill, length: float, chance: Random) -> Trial:
    trial = Trial((), looks=len(_LOOKS))
    while len(trial.pairs) < max(_LOOKS):
        trial = replace(trial, pairs=(*trial.pairs, mill.pair(length, chance)))
        done = len(trial.pairs)
        if done in _LOOKS and trial.verdict is Verdict.FAIL:
            break
        if done >= _FUTILE and 2 * trial.starved < done:
            break
    return trial


def under_load(stage: Stage, longer: int) -> Recording:
    """Everybody enqueues, claims and completes on a deep queue, as fast as can be."""
    mill = Mill(stage, enqueue=True)
    mill.block(longer * {"smoke": 0.4, "pr": 2.0, "soak": 30.0}[stage.budget.effort])
    return Recording(operations=tuple(mill.operations), answers={})


# --- throughput -------------------------------------------------------------------------------------------------------

_BLOCK = {"smoke": (0.25, 2, 12.0), "pr": (0.5, 4, 30.0), "soak": (1.0, 30, 300.0)}
_MOST_BLOCKS = 64


def throughput(stage: Stage) -> Iterator[tuple[float, Throughput, Mill]]:
    """Yield, without and with work between, blocks of the queue under test and of the reference in turns.

    There are as many as a verdict needs, within the limit of the effort.
    """
    with control_of(stage) as control:
        for think in thinks(stage):
            mill = Mill(stage, control, think=think)
            yield think, _throughput(stage, mill), mill


def _throughput(stage: Stage, mill: Mill) -> Throughput:
    length, least, limit = _BLOCK[stage.budget.effort]
    chance = Random(stage.budget.seed_for("load"))  # noqa: S311 - the seed of the run
    mill.pair(length / 2, chance)  # opens what is opened once
    found = Throughput((), looks=_MOST_BLOCKS)
    while len(found.pairs) < _MOST_BLOCKS and found.seconds < limit:
        found = replace(found, pairs=(*found.pairs, mill.pair(length, chance)))
        if len(found.pairs) >= least:
            if found.verdict is not Verdict.INCONCLUSIVE:
                break
            length = max(length, limit / 6)
    return found

"""One process writes while another reads statistics: of the same store, or of a store beside it."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from pytest_taskq.history import SECOND, Kind
from pytest_taskq.latency.blocks import Block, Pair
from pytest_taskq.recording.load import put
from pytest_taskq.recording.stage import Stage
from pytest_taskq.subject.violation import InconclusiveError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_taskq.history import Operation
    from pytest_taskq.subject import QueueUnderTest

QUEUED = 10_000
_STANDALONE = 1_000  # are enqueued one by one
_LENGTH = 0.2  # seconds of a block


class Watching:
    """Pairs of blocks. The reader works as much in the one as in the other; only what it reads is not the same.

    So what a second busy process costs the writer, the processor and the disk that they share, is in both.
    """

    def __init__(self, stage: Stage, other: QueueUnderTest) -> None:
        self.counts = 0
        self._stage = stage
        self._other = other
        self._chance = Random(stage.budget.seed_for("watching"))  # noqa: S311 - the seed of the run
        for queue in (stage.queue, other):
            if stage.subject.shared_schema:
                put(queue.store, QUEUED)
                queue.store.show_real_time()
            else:
                Stage(queue, stage.crew, stage.budget).work("stock", 0.0, ways=(), size=1, count=_STANDALONE)

    def pairs(self) -> Iterator[Pair]:
        """Yield a pair at a time, its two blocks in an order drawn at random."""
        while True:
            first = self._chance.random() < 0.5  # noqa: PLR2004 - even chances
            blocks = {same: self._block(same=same) for same in (first, not first)}
            yield Pair(blocks[True], blocks[False])

    def _block(self, *, same: bool) -> Block:
        """Return a block of writes beside a reader of the ``same`` store, or of the other one."""
        read = self._stage.queue.dsn if same else self._other.dsn
        job = self._stage.job("watched", _LENGTH, ways=(), read=read)
        calls, answers = self._stage.crew.run(job, self._stage.folder, 2)
        reads = [one for one in calls if one.kind is Kind.STATS and one.known]
        if not reads:
            raised = next((one.error for one in calls if one.kind is Kind.STATS and one.error), "they took too long")
            raise InconclusiveError(f"no statistics were read beside the writer: {raised}")
        self.counts += len(reads) if same else 0
        return _beside(reads, [one for one in calls if one.kind is Kind.ENQUEUE], answers[1])


def _beside(reads: Sequence[Operation], writes: Sequence[Operation], waits: Sequence[float]) -> Block:
    """Return the writes that ended while the reader was at it, from its second count on: in the first it opens."""
    begin, end = reads[0].end if len(reads) > 1 else reads[0].call, max(one.end for one in reads)
    kept = [
        (((one.returned or one.call) - one.call) / SECOND, wait)
        for one, wait in zip(writes, waits, strict=True)
        if (one.returned or one.call) > begin and one.call < end
    ]
    if not kept:
        raise InconclusiveError("the writer wrote nothing while statistics were read")
    return Block(tuple(length for length, _ in kept), tuple(max(0.0, length - wait) for length, wait in kept))

"""What is measured in turns: a block of the call, a block of what it is compared with, and again.

A minute in which the machine is slow is in both, so a ratio of one pair compares samples of the same moment, and the
pairs are judged by how many of them agree, not by how large the worst is.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from math import exp, log
from statistics import median
from typing import TYPE_CHECKING

from pytest_taskq.latency.exceedance import Exceedance
from pytest_taskq.latency.quantiles import Quantile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_taskq.contract import Verdict

_EVEN = 0.5  # of the pairs lie above their median
_LEAST = 1e-12  # seconds: of what nothing is left without its waits, so that each ratio has a logarithm


@dataclass(frozen=True, slots=True)
class Block:
    """Calls one after the other: the seconds of each, and those that are left without waiting for a processor.

    ``own`` is what the operating system says the call took when the time in which it was ready and had no processor is
    taken off; the same as ``seconds`` where the system does not tell.
    """

    seconds: tuple[float, ...]
    own: tuple[float, ...]

    @classmethod
    def of(cls, seconds: Iterable[float], own: Iterable[float] | None = None) -> Block:
        """Return a block; ``own`` is as ``seconds`` unless given."""
        kept = tuple(seconds)
        return cls(kept, kept if own is None else tuple(own))

    @property
    def median(self) -> float:
        """The median of ``own``: ratios compare code and storage, not how many others wanted the processor."""
        return median(self.own)


@dataclass(frozen=True, slots=True)
class Pair:
    """A block of the call and the block of the floor (or of whatever it is compared with) next to it."""

    call: Block
    floor: Block

    @property
    def ratio(self) -> float:
        """The median of the call over that of the floor."""
        return max(self.call.median, _LEAST) / max(self.floor.median, _LEAST)


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times the floor a call takes: the median of the pairs' ratios and its 95 % interval."""

    median: float
    low: float | None
    high: float | None
    ratios: tuple[float, ...]

    @classmethod
    def of(cls, pairs: Iterable[Pair]) -> Ratio:
        """Return the ratio over all pairs. Raises ValueError without any."""
        ratios = tuple(pair.ratio for pair in pairs)
        middle = Quantile.of(ratios, _EVEN)
        return cls(exp(median(map(log, ratios))), middle.low, middle.high, ratios)

    def above(self, limit: float, looks: int = 1) -> Verdict:
        """Return FAIL if nearly every pair lies above ``limit``, PASS if nearly every one lies below: a sign test.

        The errors are those of ``Exceedance``: all of 30 pairs must agree for a FAIL, or 49 of 55.
        """
        beyond = sum(ratio > limit for ratio in self.ratios)
        return Exceedance(samples=len(self.ratios), exceeded=beyond, share=_EVEN, looks=looks).verdict

    def as_details(self) -> list[float | None]:
        """Return median, low and high, for JSON."""
        return [self.median, self.low, self.high]


def restlessness(blocks: Sequence[Block]) -> float:
    """Return how many times the median block the slowest tenth of the blocks takes; 1 on a machine that is quiet."""
    medians = [block.median for block in blocks]
    return Quantile.of(medians, 0.9).value / max(median(medians), _LEAST)


def at_equal_exposure(blocks: Iterable[Block], calls: int) -> tuple[float, ...]:
    """Return the own seconds of ``calls`` floor transactions in a row, of as many such rows as there are.

    A pause of the machine hits a long call more often than a short one. Rows of the floor that take as long as the
    call under test are hit as often as it is.
    """
    every = list(chain.from_iterable(block.own for block in blocks))
    calls = max(1, min(calls, len(every)))
    return tuple(sum(every[at : at + calls]) for at in range(0, len(every) - calls + 1, calls))

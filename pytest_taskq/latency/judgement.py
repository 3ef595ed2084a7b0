"""The verdict about one call from what was measured of it and of the floor in turns.

PASS goes by the seconds as they are: what a caller waits. FAIL has to be the code's own doing, so four things must hold
at once. Too many calls exceed the target although the time without a processor is taken off. The p95 of the floor is
under half the target: the storage is fast enough. They are too many also beside what the pauses may account for that
rows of the floor as long as the call show: the machine is quiet enough. And they are so without the worst tenth of the
blocks: no one moment decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from math import ceil
from typing import TYPE_CHECKING, Any

from pytest_taskq.contract import Verdict
from pytest_taskq.latency.binomial import upper_bound
from pytest_taskq.latency.blocks import Ratio, at_equal_exposure
from pytest_taskq.latency.exceedance import Exceedance
from pytest_taskq.latency.histogram import Histogram
from pytest_taskq.latency.quantiles import ERROR, Quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_taskq.latency.blocks import Block, Pair

SHOWN = (0.50, 0.95, 0.99)
_QUIET = 0.5  # of the target: the floor's p95 lies below it
_HALF = 0.5
_WORST = 10  # one block of so many is left out


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and, unless it is PASS, why."""

    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """All that was measured of one call; ``quantile`` of its samples are to take less than ``target`` seconds.

    Without a target it is only shown. ``looks`` is how often the series may be judged while it grows.
    """

    name: str
    method: str
    pairs: tuple[Pair, ...]
    target: float | None = None
    quantile: float = 0.95
    looks: int = 1

    @cached_property
    def seconds(self) -> tuple[float, ...]:
        """Each call, in the order in which they were made."""
        return tuple(chain.from_iterable(pair.call.seconds for pair in self.pairs))

    @cached_property
    def floor(self) -> tuple[float, ...]:
        """Each transaction of the floor."""
        return tuple(chain.from_iterable(pair.floor.seconds for pair in self.pairs))

    @cached_property
    def ratio(self) -> Ratio:
        """How many times the floor it takes."""
        return Ratio.of(self.pairs)

    @cached_property
    def exceedance(self) -> Exceedance:
        """The count over the seconds as they are."""
        return self._counted(sum(one >= self._limit for one in self.seconds), len(self.seconds))

    @cached_property
    def judgement(self) -> Judgement:
        """The verdict."""
        if self.target is None:
            return Judgement(Verdict.INCONCLUSIVE, "there is no target to judge it by")
        if self.exceedance.verdict is Verdict.PASS:
            return Judgement(Verdict.PASS)
        own = self._own(self.pairs)
        if own.verdict is not Verdict.FAIL:
            return Judgement(Verdict.INCONCLUSIVE, self._undecided(own))
        excuse = self._machine(self.target)
        return Judgement(Verdict.INCONCLUSIVE, excuse) if excuse else Judgement(Verdict.FAIL, self._too_slow(own))

    @property
    def _limit(self) -> float:
        return float("inf") if self.target is None else self.target

    @property
    def _share(self) -> float:
        return round(1 - self.quantile, 9)

    def _counted(self, exceeded: int, samples: int, granted: float = 0.0) -> Exceedance:
        share = min(self._share + granted, 1.0)
        return Exceedance(samples=samples, exceeded=exceeded, share=share, looks=self.looks)

    def _own(self, pairs: Sequence[Pair], granted: float = 0.0) -> Exceedance:
        counts = [sum(one >= self._limit for one in pair.call.own) for pair in pairs]
        return self._counted(sum(counts), sum(len(pair.call.own) for pair in pairs), granted)

    def _machine(self, target: float) -> str:
        """Return what the machine is to blame for, "" if nothing."""
        blocks = [pair.floor for pair in self.pairs]
        floor = _own_quantile(blocks, self.quantile)
        if floor >= target * _QUIET:
            return (
                f"the machine is too slow: the bare transaction alone has {self._at} {in_ms(floor)}, and a verdict "
                f"needs it under half the target of {in_ms(target)}"
            )
        granted = self._granted(target)
        if self._own(self.pairs, granted).verdict is not Verdict.FAIL:
            return (
                f"the machine is too restless: its pauses, as the floor shows them, may account for {granted:.1%} of "
                f"the calls, and what exceeded the target beyond that is not surely more than {self._share:.0%}"
            )
        if self._own(self._without_worst(), granted).verdict is not Verdict.FAIL:
            return "most of what exceeded the target came in the same few blocks, as a pause of the machine makes it"
        return ""

    def _granted(self, target: float) -> float:
        """Return the share of the calls that pauses of the machine may account for, at most.

        A row of the floor as long as the call is hit by them as often as the call is, and by as much. What hits fewer
        than half of the calls does not move their median: one over the target is the code's.
        """
        call = _own_quantile([pair.call for pair in self.pairs], _HALF)
        if call >= target:
            return 0.0
        floors = [pair.floor for pair in self.pairs]
        rows = at_equal_exposure(floors, ceil(call / max(_own_quantile(floors, _HALF), 1e-9)))
        usual = Quantile.of(rows, _HALF).value
        return upper_bound(sum(row - usual >= target - call for row in rows), len(rows), ERROR)

    def _without_worst(self) -> Sequence[Pair]:
        worst_last = sorted(self.pairs, key=lambda pair: sum(one >= self._limit for one in pair.call.own))
        return worst_last[: len(worst_last) - max(1, len(worst_last) // _WORST)]

    @property
    def _at(self) -> str:
        return f"p{self.quantile * 100:g}"

    def _too_slow(self, own: Exceedance) -> str:
        return f"{own.exceeded} of {own.samples} calls of {self.name} took {in_ms(self._limit)} or longer"

    def _undecided(self, own: Exceedance) -> str:
        raw = self.exceedance
        if raw.verdict is Verdict.FAIL:
            return (
                f"{raw.exceeded} of {raw.samples} calls took {in_ms(self._limit)} or longer, but only {own.exceeded} "
                "if the time is left out in which others had the processor: the machine is too busy"
            )
        most = "none" if raw.passes_to is None else f"at most {raw.passes_to}"
        return (
            f"too few samples: {raw.exceeded} of {raw.samples} calls took {in_ms(self._limit)} or longer; a pass "
            f"allows {most} of so many, a failure needs {raw.fails_from or 'more samples'}"
        )

    def __str__(self) -> str:
        """The figures in one line."""
        shown = [f"p{share * 100:g} {_between(Quantile.of(self.seconds, share))}" for share in SHOWN]
        target = "" if self.target is None else f", target {self._at} < {in_ms(self.target)}"
        ratio = self.ratio
        interval = "" if ratio.low is None or ratio.high is None else f" ({ratio.low:.1f} to {ratio.high:.1f})"
        floor = f"floor p50 {in_ms(Quantile.of(self.floor, 0.5).value)}"
        exceeded = "" if self.target is None else f", {self.exceedance.exceeded} exceeded"
        return (
            f"{self.name} {', '.join(shown)}{target}; {floor}, {ratio.median:.1f} times the floor{interval}; "
            f"{len(self.seconds)} samples{exceeded}"
        )

    def as_details(self) -> dict[str, Any]:
        """Return the figures for JSON: seconds, and null for what is not known."""
        exceedance = self.exceedance if self.target is not None else None
        return {
            "name": self.name,
            "method": self.method,
            "samples": len(self.seconds),
            **{f"p{share * 100:.0f}": Quantile.of(self.seconds, share).as_details() for share in SHOWN},
            "target": self.target,
            "quantile": self.quantile,
            "exceeded": exceedance.exceeded if exceedance else 0,
            "allowed": exceedance.passes_to if exceedance else None,
            "fails_from": exceedance.fails_from if exceedance else None,
            "floor": {
                "samples": len(self.floor),
                **{f"p{share * 100:.0f}": Quantile.of(self.floor, share).value for share in SHOWN},
            },
            "ratio": self.ratio.as_details(),
            "ratios": list(self.ratio.ratios),
            "histogram": Histogram.of(self.seconds, self.floor).as_details(),
            "verdict": self.judgement.verdict.value,
            "reason": self.judgement.reason,
        }


def in_ms(seconds: float) -> str:
    """Return seconds as milliseconds of three figures."""
    return f"{seconds * 1000:.3g} ms"


def _own_quantile(blocks: Sequence[Block], share: float) -> float:
    return Quantile.of([one for block in blocks for one in block.own], share).value


def _between(quantile: Quantile) -> str:
    ends = [f"{end * 1000:.3g}" if end is not None else "?" for end in (quantile.low, quantile.high)]
    return f"{in_ms(quantile.value)} ({ends[0]} to {ends[1]})"

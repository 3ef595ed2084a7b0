"""Percentiles of samples, each between two of the samples that hold it whatever the distribution is.

The number of samples below the true q-quantile is binomial (n, q); so the r-th smallest lies above it with probability
P(X < r), and no shape of the distribution enters. Conover, Practical Nonparametric Statistics, section 3.2.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from math import ceil
from typing import TYPE_CHECKING

from pytest_taskq.latency.binomial import at_least, at_most

if TYPE_CHECKING:
    from collections.abc import Sequence

ERROR = 0.05  # of an interval that is shown; verdicts have their own, far smaller ones


@dataclass(frozen=True, slots=True)
class Quantile:
    """A percentile by nearest rank and its 95 % interval; an end that the samples are too few for is None."""

    value: float
    low: float | None
    high: float | None

    @classmethod
    def of(cls, samples: Sequence[float], share: float, error: float = ERROR) -> Quantile:
        """Return the smallest sample that at least ``share`` of them do not exceed. Raises ValueError without any."""
        if not samples:
            raise ValueError("a percentile needs at least one sample, and nothing was measured")
        ordered = sorted(samples)
        low, high = _ranks(len(ordered), share, error)
        return cls(
            ordered[max(1, ceil(share * len(ordered) - 1e-9)) - 1],
            ordered[low - 1] if low else None,
            ordered[high - 1] if high else None,
        )

    def as_details(self) -> list[float | None]:
        """Return value, low and high, for JSON."""
        return [self.value, self.low, self.high]


@cache
def _ranks(n: int, share: float, error: float) -> tuple[int | None, int | None]:
    """Return the ranks, from 1, of the samples that bound the quantile from below and above."""
    each = error / 2
    # The largest r with P(X <= r - 1) <= each, and the least s with P(X >= s) <= each.
    low = bisect_left(range(n + 1), True, key=lambda rank: at_most(rank, n, share) > each)
    high = bisect_left(range(n + 1), True, key=lambda rank: at_least(rank, n, share) <= each)
    return (low or None), (high if high <= n else None)

"""Whether one sample lies above another by more than a margin: Mann and Whitney's test, one-sided.

It asks only for the order of the values, so that a few outliers (a checkpoint, another process) decide nothing.
Ties count against the claim, which makes the test careful, never bold.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from functools import cache
from math import comb, sqrt
from statistics import NormalDist, StatisticsError, correlation, median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_FEWEST_GROUPS = 12
_BY_CHANCE = 1.0  # standard errors
_MOST_EXACT = 2_500  # pairs; beyond it the normal tail is close, and lies above the exact one where it is far out


def probability_of_no_shift(low: Sequence[float], high: Sequence[float]) -> float:
    """Return how likely ``high`` stands at least this far above ``low`` if both came from one distribution."""
    ordered = sorted(low)
    above = sum(bisect_left(ordered, value) for value in high)
    if len(low) * len(high) <= _MOST_EXACT:
        return _exact_tail(min(len(low), len(high)), max(len(low), len(high)), above)
    return _normal_tail(len(low), len(high), above)


def independent(values: Sequence[float]) -> Sequence[float]:
    """Return the values, or where neighbours resemble each other the medians of as many as hang together.

    ``n`` values of correlation ``r`` from one to the next tell as much as ``n (1 - r) / (1 + r)`` independent ones.
    """
    ordered = sorted(values)
    ranks = [bisect_left(ordered, value) for value in values]
    try:
        alike = correlation(ranks[:-1], ranks[1:])
    except StatisticsError:  # all the same, or too few to ask
        return values
    groups = round(len(values) * (1 - alike) / (1 + alike)) if alike > _BY_CHANCE / sqrt(len(values)) else len(values)
    groups = max(groups, min(_FEWEST_GROUPS, len(values)))
    if groups >= len(values):
        return values
    edges = [number * len(values) // groups for number in range(groups + 1)]
    return [median(values[first:last]) for first, last in itertools.pairwise(edges)]


def least_probability(few: int, many: int) -> float:
    """Return what the test gives at best with samples of these sizes: below it nothing can be shown."""
    return 1 / comb(few + many, few)


def _exact_tail(few: int, many: int, above: int) -> float:
    counts = _counts(few, many)
    return sum(counts[above:]) / sum(counts)


@cache
def _counts(few: int, many: int) -> tuple[int, ...]:
    """Return by number of pairs won in how many orders of the two samples it happens.

    The coefficients of Gauss's binomial, a product of (1 - q^(many + i)) / (1 - q^i).
    """
    counts = [1, *[0] * (few * many)]
    for i in range(1, few + 1):
        for power in range(few * many, many + i - 1, -1):
            counts[power] -= counts[power - many - i]
        for power in range(i, few * many + 1):
            counts[power] += counts[power - i]
    return tuple(counts)


def _normal_tail(few: int, many: int, above: int) -> float:
    deviation = sqrt(few * many * (few + many + 1) / 12)
    return 1 - NormalDist().cdf((above - 0.5 - few * many / 2) / deviation)

"""Tails of the binomial distribution, summed exactly; no normal approximation, which is far off at one in 10**9."""

from __future__ import annotations

from functools import cache
from math import exp, fsum, lgamma, log, log1p
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def at_least(k: int, n: int, p: float) -> float:
    """Return P(X >= k) for X the number of successes in ``n`` independent trials of probability ``p``."""
    return _between(k, n, n, p) if k > n * p else 1 - _between(0, k - 1, n, p)


def at_most(k: int, n: int, p: float) -> float:
    """Return P(X <= k)."""
    return _between(0, k, n, p) if k <= n * p else 1 - _between(k + 1, n, n, p)


_PRECISE = 1e-4


@cache
def refuted_from(n: int, p: float, error: float) -> int | None:
    """Return the least k with P(X >= k) < ``error``: so many successes refute a probability of at most ``p``.

    None if even ``n`` of ``n`` would not.
    """
    found = _first(n, lambda k: at_least(k, n, p) < error)
    return found if found <= n else None


@cache
def proved_to(n: int, p: float, error: float) -> int | None:
    """Return the largest k with P(X <= k) < ``error``: so few successes prove a probability below ``p``.

    None if even none at all would not.
    """
    found = _first(n, lambda k: at_most(k, n, p) >= error) - 1
    return found if found >= 0 else None


def upper_bound(k: int, n: int, error: float) -> float:
    """Return the largest probability with which ``k`` or fewer of ``n`` still come with P >= ``error``; 1 for n = 0.

    Clopper and Pearson (1934), from above.
    """
    low, high = k / n if n else 1.0, 1.0
    while high - low > _PRECISE:
        middle = (low + high) / 2
        low, high = (middle, high) if at_most(k, n, middle) >= error else (low, middle)
    return high


def _first(n: int, holds: Callable[[int], bool]) -> int:
    """Return the least k of 0 to n for which ``holds``, which then holds for all above; n + 1 if there is none."""
    low, high = 0, n + 1
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _between(first: int, last: int, n: int, p: float) -> float:
    return min(1.0, fsum(_exactly(k, n, p) for k in range(max(first, 0), min(last, n) + 1)))


def _exactly(k: int, n: int, p: float) -> float:
    if p <= 0 or p >= 1:
        return float(k == (n if p >= 1 else 0))
    return exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log1p(-p))

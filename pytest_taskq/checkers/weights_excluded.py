"""What a run of claims excludes: which other ways to serve it would have found, 95 times of 100.

A queue that serves by r multiplies the coins of rival q by exp(mean) a claim, mean = sum of r * ln(q / p), with the
variance of that logarithm around it. After many claims the logarithm of its coins is normal, so it has won 1e9 with
95 % if sum of means - 1.645 * root of the sum of variances is at least ln(1e9 / what it began with). Only the fixed
rivals are counted on; what is learned can only find more.
"""

from __future__ import annotations

from math import ceil, log, sqrt
from typing import TYPE_CHECKING

from pytest_taskq.checkers.weights import RIVALS, THRESHOLD, log_ratios, log_stake, power, shares

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_taskq.checkers.weights import WeightLaw, Weights

    Rule = Callable[[Weights], Weights]

_QUANTILE = 1.645  # of the normal distribution, 95 %
_STEPS = 100  # exponents and parts are told to two decimals


def mixed(part: float) -> Rule:
    """Return the rule that draws without regard to weights in this part of the claims, and by weight in the others."""

    def rule(weights: Weights) -> Weights:
        return tuple((1 - part) * share + part / len(weights) for share in shares(weights))

    return rule


def needed() -> float:
    """Return ln of what a fixed rival must multiply its coins by."""
    return THRESHOLD * log(10) - log_stake()


def winnings(weights: Weights, rule: Rule) -> list[tuple[float, float]]:
    """Return per claim the mean and variance of the logarithm of each fixed rival's coins, if ``rule`` is served by."""
    truth = shares_by(rule, weights)
    ratios = log_ratios(weights)
    found = []
    for rival in range(len(RIVALS)):
        mean = sum(share * ratios[task][rival] for task, share in enumerate(truth))
        square = sum(share * ratios[task][rival] ** 2 for task, share in enumerate(truth))
        found.append((mean, max(0.0, square - mean**2)))
    return found


def shares_by(rule: Rule, weights: Weights) -> Weights:
    """Return the probabilities by which ``rule`` serves; a weight of its own may be 0."""
    wanted = rule(weights)
    return tuple(one / sum(wanted) for one in wanted)


def claims_until_found(weights: Weights, rule: Rule) -> int | None:
    """Return how many claims on one pool find a queue that serves by ``rule``, 95 times of 100; None for never."""
    found = [
        ((_QUANTILE * sqrt(variance) + sqrt(_QUANTILE**2 * variance + 4 * mean * needed())) / (2 * mean)) ** 2
        for mean, variance in winnings(weights, rule)
        if mean > 0
    ]
    return ceil(min(found)) if found else None


def is_found(pools: Mapping[Weights, int], rule: Rule) -> bool:
    """Whether so many claims on each of these pools find a queue that serves by ``rule``, 95 times of 100."""
    means, variances = [0.0] * len(RIVALS), [0.0] * len(RIVALS)
    for weights, claims in pools.items():
        for rival, (mean, variance) in enumerate(winnings(weights, rule)):
            means[rival] += claims * mean
            variances[rival] += claims * variance
    return any(m - _QUANTILE * sqrt(v) >= needed() for m, v in zip(means, variances, strict=True))


def excluded(law: WeightLaw) -> str:
    """Return what the claims of ``law`` would have found, 95 times of 100, in words; "" if that is nothing."""
    pools = _sorted(law.pools)

    def least(rule: Callable[[float], Rule], last: int) -> float | None:
        """Return the smallest deviation of a kind that is found, None if the largest, ``last`` steps, is not."""
        if not is_found(pools, rule(last / _STEPS)):
            return None
        low, high = 0, last
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if is_found(pools, rule(middle / _STEPS)) else (middle, high)
        return high / _STEPS

    flatter = least(lambda step: power(1 - step), _STEPS)
    steeper = least(lambda step: power(1 + step), 3 * _STEPS)
    blind = least(mixed, _STEPS)
    parts = [
        f"weights to the power {1 - flatter:.2f} and below" if flatter else "",
        f"{1 + steeper:.2f} and above" if flatter and steeper else "",
        f"a draw blind to weights in {blind:.0%} of the claims" if blind else "",
    ]
    return ", ".join(part for part in parts if part)


def _sorted(pools: Mapping[Weights, int]) -> dict[Weights, int]:
    """Return the pools without regard to the order of their tasks, which no fixed rival looks at."""
    found: dict[Weights, int] = {}
    for weights, claims in pools.items():
        key = tuple(sorted(weights))
        found[key] = found.get(key, 0) + claims
    return found

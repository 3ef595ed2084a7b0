"""Does a queue serve by weight? An e-process: a bet against the law that can only be won by a queue that breaks it.

The law: a claim serves task i with probability p(i) = weight_i / sum of the weights of the claimable tasks. Against it
stand rivals, each a rule that gives every claim a probability q of its own before the claim is made: all tasks alike,
the heaviest first, some power of the weights, what was learned from the claims before. A rival that starts with one
coin has product of q(served) / p(served) coins after the claims. `WeightLaw` divides one coin among them all, half of
it among the fixed rivals and half among those that learn, and E is what they have together.

If the law holds, each factor is 1 on average whatever went before (sum of p * q / p), so E is a martingale that is
never negative, and by Ville's inequality it ever reaches 1e9 with a probability of at most 1e-9: over all claims
together, whenever one looks or stops, with no approximation. The pools may change from claim to claim, by any rule
that does not look into the future. A rival that is right about a broken queue multiplies E by exp(KL(q, p)) per claim.

    law = WeightLaw()
    for pool, served in claims:  # pool: the tasks that are claimable, in any steady order; served: which of them
        if law.claimed(pool, served):
            ...  # E has reached 1e9
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil, exp, isfinite, log, log1p
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    Weights = tuple[float, ...]

_Key = TypeVar("_Key", bound="Hashable")

THRESHOLD = 9  # log10 of E, and of the inverse of the false alarm
_DOUBT = 0.01  # what each fixed rival leaves to the law, so that no single claim ruins it
_PRIOR = 1.0  # claims' worth of belief in the law that a learner begins with
_FIXED = 0.5  # the part of the coin that the fixed rivals divide, however many learners there are


@dataclass(frozen=True, slots=True)
class Claimable:
    """A task of the pool: its weight, and ``marks`` that should not matter to the law and are watched for that.

    All tasks of a run have equally many marks; at each place learns one rival of its own.
    """

    weight: float
    marks: tuple[Hashable, ...] = ()


# --- rivals that are fixed --------------------------------------------------------------------------------------------


def power(exponent: float) -> Callable[[Weights], Weights]:
    """Return the rule that raises each weight to ``exponent``; only ratios of weights matter, so nothing overflows."""

    def powered(weights: Weights) -> Weights:
        heaviest = max(weights) if exponent >= 0 else min(weights)
        return tuple((weight / heaviest) ** exponent for weight in weights)

    return powered


def _heaviest_first(weights: Weights) -> Weights:
    return tuple(float(weight == max(weights)) for weight in weights)


def _never_the_lightest(weights: Weights) -> Weights:
    lightest = min(weights)
    return weights if lightest == max(weights) else tuple(one if one > lightest else 0.0 for one in weights)


def _by_rank(weights: Weights) -> Weights:
    places = {weight: place for place, weight in enumerate(sorted(set(weights)), 1)}
    return tuple(float(places[weight]) for weight in weights)


RIVALS: dict[str, Callable[[Weights], Weights]] = {
    "all tasks alike": power(0.0),
    "the square root of the weights": power(0.5),
    "the weights to the power 0.8": power(0.8),
    "the weights to the power 1.2": power(1.2),
    "the square of the weights": power(2.0),
    "the inverse of the weights": power(-1.0),
    "the rank of the weights": _by_rank,
    "the heaviest first": _heaviest_first,
    "never the lightest": _never_the_lightest,
}


def shares(weights: Sequence[float]) -> Weights:
    """Return the weights as parts of their sum. Raises ValueError for what is no weight: a weight is above 0."""
    wrong = next((one for one in weights if not (isfinite(one) and one > 0)), None)
    if wrong is not None or not weights:
        raise ValueError(f"the weights of a pool are finite numbers above 0, got {wrong if weights else 'no task'!r}")
    heaviest = max(weights)  # so that the sum of very large weights is finite
    total = sum(one / heaviest for one in weights)
    return tuple(one / heaviest / total for one in weights)


def rival_shares(weights: Weights, rule: Callable[[Weights], Weights]) -> Weights:
    """Return the probabilities that a fixed rival gives the tasks of a pool."""
    wanted = rule(weights)
    total = sum(wanted)
    return tuple((1 - _DOUBT) * one / total + _DOUBT * law for one, law in zip(wanted, shares(weights), strict=True))


@lru_cache(maxsize=1024)
def log_ratios(weights: Weights) -> tuple[Weights, ...]:
    """Return for each task of a pool ln(q / p) of each fixed rival, in their order."""
    law = shares(weights)
    rivals = [rival_shares(weights, rule) for rule in RIVALS.values()]
    return tuple(tuple(log(rival[task] / law[task]) for rival in rivals) for task in range(len(weights)))


def log_stake() -> float:
    """Return ln of the part of the coin that each fixed rival begins with."""
    return log(_FIXED / len(RIVALS))


# --- rivals that learn ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Learner:
    """Gives each mark a factor, the one that would have made the claims so far come out as they did.

    With factors f a claim falls on mark m with q(m) = f(m) * p(m) / Z, Z the sum over the pool. Claims come out as seen
    where f(m) = seen(m) / sum of p(m) / Z, each Z as it was; both counts begin at `_PRIOR`, of claims with a choice. On
    a pool that stays the same that is the estimator of Krichevsky and Trofimov, drawn towards the law.
    """

    name: str
    seen: dict[Hashable, int] = field(default_factory=dict)
    expected: dict[Hashable, float] = field(default_factory=dict)
    wealth: float = 0.0
    _factors: dict[Hashable, list[float]] = field(default_factory=dict)  # seen, and what it is divided by

    def claimed(self, chances: dict[Hashable, float], served: Hashable) -> None:
        """Take in one claim: the lawful share of each mark in the pool, and the mark of what was served."""
        expected = self.expected
        for one, chance in chances.items():
            expected[one] = expected.get(one, 0.0) + chance
        if len(chances) > 1:  # else there is nothing to bet on
            self.wealth += self._won(chances, served)
        self.seen[served] = self.seen.get(served, 0) + 1

    def _won(self, chances: dict[Hashable, float], served: Hashable) -> float:
        factors, total = self._factors, 0.0
        for one, chance in chances.items():
            if one not in factors:
                factors[one] = [_PRIOR, _PRIOR]
            seen, divisor = factors[one]
            total += chance * seen / divisor
        won = factors[served]
        gain = log(won[0] / won[1] / total)
        for one, chance in chances.items():
            factors[one][1] += chance / total
        won[0] += 1
        return gain


def _sums(keys: Iterable[_Key], law: Weights) -> dict[_Key, float]:
    """Return the lawful share of all tasks that have a key in common, for each key."""
    found: dict[_Key, float] = {}
    for key, share in zip(keys, law, strict=True):
        found[key] = found.get(key, 0.0) + share
    return found


@lru_cache(maxsize=1024)
def _chances_by_weight(weights: Weights) -> dict[float, float]:
    return _sums(weights, shares(weights))


@lru_cache(maxsize=1024)
def _chances_by_mark(pool: tuple[Claimable, ...]) -> tuple[dict[Hashable, float], ...]:
    """Return the lawful share of each mark, at the place of the weight and at each place of marks."""
    law = shares(tuple(one.weight for one in pool))
    places = range(1 + len(pool[0].marks))
    return tuple(_sums([(one.weight, *one.marks)[place] for one in pool], law) for place in places)


# --- the bet ----------------------------------------------------------------------------------------------------------


class WeightLaw:
    """E of one run of claims. ``marks`` names the marks of its tasks, ``scopes`` the parts that the run has.

    Each mark, and the weight itself, is learned over the whole run and again in each part, so that what goes wrong in
    one part alone is not drowned by the others. A rival that begins with 1 / k of the coin must win k * 1e9 times that:
    ln k more than the 20.7 that ln 1e9 is.
    """

    def __init__(self, marks: Sequence[str] = (), scopes: Sequence[str] = ()) -> None:
        self.claims = 0
        self.expected: dict[float, float] = {}  # per weight
        self.seen: dict[float, int] = {}
        self.pools: dict[Weights, int] = {}
        self.reached: int | None = None
        self._fixed = [0.0] * len(RIVALS)
        names = ("weight", *marks)
        self._overall = [_Learner(f"a bias by {name}") for name in names]
        self._parts = {scope: [_Learner(f"a bias by {name} ({scope})") for name in names] for scope in scopes}
        self._learners = [*self._overall, *(one for part in self._parts.values() for one in part)]

    @property
    def rivals(self) -> int:
        """How many there are."""
        return len(RIVALS) + len(self._learners)

    @property
    def log10_e(self) -> float:
        """log10 of E as it is now."""
        learned = log((1 - _FIXED) / len(self._learners))
        found = [log_stake() + one for one in self._fixed] + [learned + one.wealth for one in self._learners]
        most = max(found)
        return (most + log(sum(exp(one - most) for one in found))) / log(10)

    @property
    def best(self) -> tuple[str, float]:
        """The rival that explains the claims best, and log10 of how much likelier it makes them than the law."""
        name, wealth = max(self._wealth(), key=lambda one: one[1])
        return name, wealth / log(10)

    @property
    def bias(self) -> dict[Hashable, tuple[float, int]]:
        """What was expected and seen of each mark that the best rival learned from; nothing if that one is fixed."""
        name, _ = self.best
        learner = next((one for one in self._learners if one.name == name), None)
        if learner is None:
            return {}
        return {mark: (expected, learner.seen.get(mark, 0)) for mark, expected in learner.expected.items()}

    def claimed(self, pool: Sequence[Claimable], served: int, scope: str = "") -> bool:
        """Take in that ``pool[served]`` was served; whether E has ever reached 1e9."""
        pool = tuple(pool)
        weights = tuple(one.weight for one in pool)
        self._count(weights, served)
        self._fixed = [wealth + gain for wealth, gain in zip(self._fixed, log_ratios(weights)[served], strict=True)]
        chances, marks = _chances_by_mark(pool), (weights[served], *pool[served].marks)
        for learners in (self._overall, self._parts.get(scope, ())):
            for learner, chance, mark in zip(learners, chances, marks, strict=True) if learners else ():
                learner.claimed(chance, mark)
        if self.reached is None and self._may_have_reached() and self.log10_e >= THRESHOLD:
            self.reached = self.claims
        return self.reached is not None

    def _count(self, weights: Weights, served: int) -> None:
        self.claims += 1
        self.pools[weights] = self.pools.get(weights, 0) + 1
        self.seen[weights[served]] = self.seen.get(weights[served], 0) + 1
        for weight, chance in _chances_by_weight(weights).items():
            self.expected[weight] = self.expected.get(weight, 0.0) + chance

    def _wealth(self) -> list[tuple[str, float]]:
        return [*zip(RIVALS, self._fixed, strict=True), *((one.name, one.wealth) for one in self._learners)]

    def _may_have_reached(self) -> bool:
        """Whether one has multiplied its coins by that much: together they do no better than the best."""
        most = THRESHOLD * log(10)
        return max(self._fixed) >= most or any(one.wealth >= most for one in self._learners)


def longest_wait(share: float, log10_alarm: float = -THRESHOLD) -> int:
    """Return after how many claims without being served a task of this share is starved.

    A queue that keeps the law passes it over n times with probability (1 - share) ** n, exactly; the smallest n for
    which that is below ``10 ** log10_alarm``.
    """
    if not 0 < share < 1:
        raise ValueError(f"a share lies between 0 and 1, both excluded, got {share!r}")
    return ceil(log10_alarm * log(10) / log1p(-share))

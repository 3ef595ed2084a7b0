"""Statistics: WEIGHTED_RANDOM against its law (SCH-04), and the longest that its lightest task may wait (SCH-05).

Chance is the queue's own, so no seed makes a run repeat itself; the bound on false alarms is what protects a correct
queue. It holds for all pools of a run together: SCH-04 is one bet that goes on from pool to pool, and SCH-05 divides
its 1e-9 among the pools.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from math import log, log1p, log10
from typing import TYPE_CHECKING

from pytest_taskq.checkers.weights import THRESHOLD, WeightLaw, longest_wait, shares
from pytest_taskq.checkers.weights_excluded import excluded
from pytest_taskq.contract import Finding, Instrument, Verdict
from pytest_taskq.instruments.means import means_of
from pytest_taskq.instruments.weighted_pools import (
    MARKS,
    Pool,
    crowd,
    delayed,
    far_apart,
    fresh,
    retried,
    skipped,
    why_without,
)
from pytest_taskq.subject.violation import ContractViolation

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from pytest_taskq.contract import Requirement
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.instruments.weighted_pools import Claim
    from pytest_taskq.subject import Bench, Subject

    Situation = Callable[[Pool], Iterator[Claim]]

_SHOWN = 12  # calls before a violation: a run makes thousands


class WeightJudge:
    """Judges SCH-04 and SCH-05."""

    def supports(self, subject: Subject) -> str | None:
        """Return None: calls are all it needs."""
        del subject
        return None

    def judge(self, requirement: Requirement, bench: Bench, budget: Budget) -> Finding:
        """Return PASS with what would have been found, or FAIL with what was expected and seen per weight."""
        try:
            return {"SCH-04": _law, "SCH-05": _starvation}[requirement.id](requirement, bench, budget)
        except ContractViolation as error:
            raise ContractViolation(
                error.expected, error.seen, calls=error.calls[-_SHOWN:], method=error.method
            ) from error


@dataclass
class _Run:
    """The claims of a check, situation after situation, each on a queue of its own."""

    bench: Bench
    situations: Mapping[str, Situation]
    left_out: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name, situation in self.situations.items():
            why = why_without(self.bench.subject, situation)
            if why:
                self.left_out.append(f"{name} ({why})")

    @property
    def possible(self) -> dict[str, Situation]:
        """Those that this queue can be brought into."""
        subject = self.bench.subject
        return {name: one for name, one in self.situations.items() if not why_without(subject, one)}

    def claims(self, situation: Situation) -> Generator[Claim]:
        """Yield claims for ever, on a fresh queue."""
        with self.bench.queue() as queue:
            yield from situation(Pool(queue))

    @property
    def without(self) -> str:
        """What could not be tried, for the end of a sentence."""
        return f"; without {', '.join(self.left_out)}" if self.left_out else ""


# --- SCH-04 -----------------------------------------------------------------------------------------------------------

_SITUATIONS: dict[str, Situation] = {
    "fresh": fresh,
    "retried": retried,
    "delayed": delayed,
    "skipped": skipped,
    "crowd": crowd,
}


def _law(requirement: Requirement, bench: Bench, budget: Budget) -> Finding:
    """Bet against the law, an equal number of claims in each situation, and stop where the bet is won."""
    run = _Run(bench, _SITUATIONS)
    law = WeightLaw(MARKS, tuple(run.possible))
    claims = budget.claims // means_of(bench).dearness
    for name, situation in run.possible.items():
        with closing(run.claims(situation)) as endless:
            for claim in islice(endless, claims // len(run.possible)):
                if law.claimed(claim.pool, claim.served, name):
                    return _broken(requirement, law, name)
    told = excluded(law)
    explored = (
        f"log10 E = {law.log10_e:.1f} after {law.claims:,} claims ({', '.join(run.possible)}); "
        f"excludes with 95 % {told or 'nothing yet'}{run.without}"
    )
    return Finding.of(requirement, Instrument.STATISTICS, Verdict.PASS, explored=explored, details=_details(law, told))


def _broken(requirement: Requirement, law: WeightLaw, situation: str) -> Finding:
    best, times = law.best
    reason = (
        f"after {law.claims} claims, the last of them {situation}, E is {_power(law.log10_e)}, which a queue that "
        f"serves by weight reaches with a probability of at most 1e-{THRESHOLD}; best explained by {best}"
    )
    lines = [
        *_table(law),
        f"best explained by {best}: {_power(times)} times likelier than by the law",
        *(f"  {mark}: {expected:.1f} expected, {seen} served" for mark, (expected, seen) in law.bias.items()),
        f"claims until E reached 1e{THRESHOLD}: {law.reached}",
    ]
    return Finding.of(
        requirement,
        Instrument.STATISTICS,
        Verdict.FAIL,
        reason=reason,
        evidence="\n".join(lines),
        details=_details(law, ""),
    )


def _power(logarithm: float) -> str:
    digits, exponent = f"{10 ** (logarithm % 1):.1e}".split("e")
    return f"{digits}e{int(logarithm // 1) + int(exponent)}"


def _classes(law: WeightLaw) -> list[tuple[float, float, int]]:
    return [(weight, expected, law.seen.get(weight, 0)) for weight, expected in sorted(law.expected.items())]


def _table(law: WeightLaw) -> list[str]:
    rows = [f"{weight:>12.6g} {expected:>12.1f} {seen:>8}" for weight, expected, seen in _classes(law)]
    return [f"{'weight':>12} {'expected':>12} {'served':>8}", *rows]


def _details(law: WeightLaw, told: str) -> dict[str, object]:
    classes = [{"weight": weight, "expected": round(one, 3), "seen": seen} for weight, one, seen in _classes(law)]
    found = {
        "log10_e": round(law.log10_e, 3),
        "claims": law.claims,
        "threshold": THRESHOLD,
        "excludes": told,
        "classes": classes,
    }
    return {"law": found}


# --- SCH-05 -----------------------------------------------------------------------------------------------------------

_WAITS: dict[str, Situation] = {
    "fresh": fresh,
    "retried": retried,
    "crowd": crowd,
    "far apart": far_apart,
}


@dataclass
class _Wait:
    """How long the lightest task of a situation has waited, and how unlikely that is under the law."""

    situation: str
    task: object
    weight: float
    first_share: float
    claims: int = 0
    log10_chance: float = 0.0
    expected: float = 0.0
    served: bool = False

    def take(self, claim: Claim) -> None:
        """Take in a claim; one at which the task was not there, being held or away, counts for nothing."""
        if self.task not in claim.tasks:
            return
        share = _share(claim, claim.tasks.index(self.task))
        self.claims += 1
        self.expected += share
        self.served = claim.tasks[claim.served] == self.task
        if not self.served:
            self.log10_chance += log1p(-share) / log(10)


def _share(claim: Claim, place: int) -> float:
    return shares(tuple(one.weight for one in claim.pool))[place]


def _lightest(situation: str, claim: Claim) -> _Wait:
    """Return the wait of the lightest task; of several that are as light, the last."""
    place = max(range(len(claim.pool)), key=lambda one: (-claim.pool[one].weight, one))
    return _Wait(situation, claim.tasks[place], claim.pool[place].weight, _share(claim, place))


def _starvation(requirement: Requirement, bench: Bench, budget: Budget) -> Finding:
    """Claim in each situation until its lightest task is served, or starved.

    A queue that keeps the law passes over a task with share p at n claims with probability (1 - p) ** n, or the
    product of 1 - p where the pool changes. Divided among k situations that must not fall below 1e-9 / k; so with
    p = 1/15 and k = 4 the task is starved after 321 claims, and no smaller number would keep the bound.
    """
    del budget  # it ends when the task is served
    run = _Run(bench, _WAITS)
    limit = -THRESHOLD - log10(len(run.possible))
    waits = []
    for name, situation in run.possible.items():
        with closing(run.claims(situation)) as claims:
            wait = _waited(name, claims, limit)
        if not wait.served:
            return _starved(requirement, wait, limit)
        waits.append(wait)
    shown = (f"{one.claims} of at most {longest_wait(one.first_share, limit)} ({one.situation})" for one in waits)
    explored = f"claims until the lightest task was served: {', '.join(shown)}{run.without}"
    longest = min(waits, key=lambda one: one.log10_chance)
    return Finding.of(
        requirement,
        Instrument.STATISTICS,
        Verdict.PASS,
        explored=explored,
        details=_wait_details(longest, limit, explored),
    )


def _waited(situation: str, claims: Iterator[Claim], limit: float) -> _Wait:
    """Take in claims until the lightest task is served, or has waited longer than the limit allows."""
    first = next(claims)
    wait = _lightest(situation, first)
    wait.take(first)
    while not wait.served and wait.log10_chance >= limit:
        wait.take(next(claims))
    return wait


def _starved(requirement: Requirement, wait: _Wait, limit: float) -> Finding:
    reason = (
        f"the lightest task, with {wait.first_share:.2%} of the weights, was not served in {wait.claims} claims "
        f"({wait.situation}); a queue that serves by weight makes it wait so long with probability "
        f"{_power(wait.log10_chance)}"
    )
    evidence = (
        f"{'weight':>12} {'expected':>12} {'served':>8}\n{wait.weight:>12.6g} {wait.expected:>12.1f} {0:>8}\n"
        f"claims until it was starved: {wait.claims}"
    )
    return Finding.of(
        requirement,
        Instrument.STATISTICS,
        Verdict.FAIL,
        reason=reason,
        evidence=evidence,
        details=_wait_details(wait, limit, ""),
    )


def _wait_details(wait: _Wait, limit: float, told: str) -> dict[str, object]:
    lightest = {"weight": wait.weight, "expected": round(wait.expected, 3), "seen": int(wait.served)}
    found = {
        "log10_e": round(-wait.log10_chance, 3),
        "claims": wait.claims,
        "threshold": round(-limit, 3),
        "excludes": told,
        "classes": [lightest],
    }
    return {"law": found}

"""What a team promises beyond the defaults; declared means graded."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from math import isfinite
from typing import TYPE_CHECKING, Literal

from pytest_taskq.contract.methods import FEATURES
from pytest_taskq.contract.task import SchedulingStrategy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def inverse_priority(priority: int) -> float:
    """Weight of a task under WEIGHTED_RANDOM unless promised otherwise: ``1 / (priority + 1)``, priorities from 0."""
    return 1 / (priority + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long a failed task waits: ``d * (1 - jitter) .. d``, ``d = min(maximum, initial * multiplier ** (n - 1))``.

    Seconds. ``n`` is the attempt that failed, from 1.
    """

    initial: float = 1.0
    multiplier: float = 2.0
    maximum: float = 300.0
    jitter: float = 0.1

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        for name, low in (("initial", 0.0), ("multiplier", 1.0), ("maximum", 0.0)):
            value = getattr(self, name)
            if not (isfinite(value) and value >= low):
                raise ValueError(f"Backoff.{name} must be a finite number from {low}, got {value!r}")
        if not 0 <= self.jitter <= 1:
            raise ValueError(f"Backoff.jitter must lie between 0 and 1, got {self.jitter!r}")

    def longest(self, attempt: int) -> float:
        """Return the longest delay in seconds after ``attempt``; never overflows, whatever the attempt."""
        if self.initial <= 0:
            return 0.0
        try:
            grown = self.initial * self.multiplier ** (attempt - 1)
        except OverflowError:
            return self.maximum
        return min(self.maximum, grown)

    def window(self, attempt: int) -> tuple[float, float]:
        """Return the shortest and the longest delay in seconds after ``attempt``."""
        longest = self.longest(attempt)
        return longest * (1 - self.jitter), longest


@dataclass(frozen=True, slots=True, kw_only=True)
class Promises:
    """What this team's code promises; each field changes what is graded, none turns grading off but ``not_offered``.

    ``time_precision`` is the resolution of the stored times in seconds. ``not_offered`` maps a method
    (``"cancel_task"``), an argument (``"enqueue.delay_seconds"``) or a feature (``"leases"``, ``"capabilities"``,
    ``"worker_id"``) to the reason why it is not there; `FEATURES` has them all.
    """

    time_precision: float = 1.0
    fifo_key: Literal["id", "run_after"] = "id"
    retried: Literal["keeps_place", "to_back"] = "keeps_place"
    skip_locked: bool = False
    priority_order: Literal["ascending", "descending"] = "ascending"
    weight: Callable[[int], float] = inverse_priority
    backoff: Backoff = field(default_factory=Backoff)
    lease_over: Literal["requeue", "fail"] = "requeue"
    late_finish: Literal["accept", "refuse"] = "accept"
    key_scope: Literal["forever", "until_finished"] = "forever"
    deletes: tuple[str, ...] = ("completed",)
    busy_timeout: float = 5.0
    durability: Literal["process", "power"] = "process"
    strategies: frozenset[SchedulingStrategy] = frozenset(SchedulingStrategy)
    not_offered: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what could not be graded."""
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"Promises.{name} must be one of {allowed}, got {getattr(self, name)!r}")
        if not (isfinite(self.time_precision) and 0 < self.time_precision <= 60):  # noqa: PLR2004 - a minute
            raise ValueError(f"Promises.time_precision must lie in (0, 60] seconds, got {self.time_precision!r}")
        if not (isfinite(self.busy_timeout) and self.busy_timeout >= 0):
            raise ValueError(f"Promises.busy_timeout must be a finite number from 0, got {self.busy_timeout!r}")
        unknown = set(self.deletes) - {"completed", "failed", "cancelled"}
        if unknown:
            raise ValueError(f"Promises.deletes may name completed, failed and cancelled, got {sorted(unknown)}")
        for name, reason in self.not_offered.items():
            _check_not_offered(name, reason)


def _check_not_offered(name: str, reason: object) -> None:
    """Refuse a name that would turn nothing off, and a reason that tells a reader nothing."""
    if name not in FEATURES:
        near = get_close_matches(str(name), FEATURES, n=1, cutoff=0.0)[0]
        raise ValueError(
            f"Promises.not_offered names {name!r}, which is no method, argument or feature of the contract, so nothing "
            f"would be left out; the nearest name is {near!r}"
        )
    if not isinstance(reason, str) or not reason.strip():
        raise ValueError(f"Promises.not_offered[{name!r}] must be a text saying why, got {reason!r}")


_CHOICES: dict[str, tuple[str, ...]] = {
    "fifo_key": ("id", "run_after"),
    "retried": ("keeps_place", "to_back"),
    "priority_order": ("ascending", "descending"),
    "lease_over": ("requeue", "fail"),
    "late_finish": ("accept", "refuse"),
    "key_scope": ("forever", "until_finished"),
    "durability": ("process", "power"),
}

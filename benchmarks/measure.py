"""What a list of samples comes to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SHARES = (0.50, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles of one call in microseconds, by nearest rank: each is a sample that was seen."""

    samples: int
    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Latency:
        """Return the percentiles of durations in seconds. Raises ValueError if there is none."""
        ordered = sorted(seconds)
        p50, p95, p99 = (round(percentile(ordered, share) * 1e6, 1) for share in SHARES)
        return cls(len(ordered), p50, p95, p99)

    def to_dict(self) -> dict[str, float]:
        """Return the fields by name."""
        return asdict(self)


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest of the sorted values that at least ``share`` of them do not exceed."""
    if not ordered:
        raise ValueError("a percentile needs at least one sample; nothing was measured")
    return ordered[max(1, ceil(share * len(ordered))) - 1]


def fairness(counts: Sequence[int]) -> float:
    """Return what the worst off got of its fair share: 1 if all got the same, 0 if one got nothing."""
    total = sum(counts)
    return min(counts) * len(counts) / total if total else 0.0

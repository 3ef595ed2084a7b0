"""The shape of the samples of a call beside those of the floor, for a picture."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_BINS = 32


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts between ``edges`` in seconds, one more edge than counts, each the same factor above the one before."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    floor: tuple[int, ...]

    @classmethod
    def of(cls, call: Sequence[float], floor: Sequence[float] = (), bins: int = _BINS) -> Histogram:
        """Return the counts of both between common edges. Raises ValueError where there is no sample at all."""
        every = [max(one, 1e-9) for one in (*call, *floor)]
        low, high = min(every), max(every)
        factor = max(high / low, 1 + 1e-9) ** (1 / bins)
        edges = [low * factor**number for number in range(bins)] + [high]
        return cls(tuple(edges), _counts(edges, call), _counts(edges, floor))

    def as_details(self) -> dict[str, list[float] | list[int]]:
        """Return edges and counts, for JSON."""
        return {"edges": list(self.edges), "counts": list(self.counts), "floor": list(self.floor)}


def _counts(edges: Sequence[float], samples: Iterable[float]) -> tuple[int, ...]:
    counts = [0] * (len(edges) - 1)
    for sample in samples:
        counts[min(max(bisect_right(edges, sample) - 1, 0), len(counts) - 1)] += 1
    return tuple(counts)

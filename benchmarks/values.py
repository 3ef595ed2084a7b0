"""What was measured, as values that JSON can hold."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from .bars import FLOOR
from .measure import Latency, fairness

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from . import crew, flat, prices, single


def latencies(seconds: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Return the percentiles of every operation that was measured."""
    return {operation: Latency.of(samples).to_dict() for operation, samples in seconds.items() if samples}


def singles(samples: Sequence[single.Samples]) -> list[dict[str, Any]]:
    """Return what one process measured of every candidate."""
    return [
        {
            "name": one.name,
            "records_completion": one.records_completion,
            "synchronous": one.synchronous,
            "per_second": round(len(one.seconds["cycle"]) / sum(one.seconds["cycle"])),
            "latency": latencies(one.seconds),
        }
        for one in samples
    ]


def crews(crews: Sequence[crew.Rounds]) -> list[dict[str, Any]]:
    """Return what four processes did with every candidate."""
    return [_crew(one) for one in crews]


def _crew(one: crew.Rounds) -> dict[str, Any]:
    shares = [share for shares in one.shares for share in shares]
    rounds = [sum(share.cycles / share.seconds for share in shares) for shares in one.shares]
    per_process = [sum(share.cycles for share in own) for own in zip(*one.shares, strict=True)]
    merged = {name: [each for share in shares for each in share.latencies[name]] for name in shares[0].latencies}
    return {
        "name": one.name,
        "records_completion": one.records_completion,
        "per_second": round(sum(rounds) / len(rounds)),
        "rounds": [round(each) for each in rounds],
        "shares": per_process,
        "fairness": round(fairness(per_process), 3),
        "least_fair_round": round(min(fairness([share.cycles for share in shares]) for shares in one.shares), 3),
        "lock_errors": sum(share.lock_errors for share in shares),
        "found_nothing": sum(share.found_nothing for share in shares),
        "claimed_twice": sum(repeated(shares) for shares in one.shares),
        "lost": None if one.name == FLOOR else sum(map(partial(lost, one.depth), one.shares, one.left)),
        "latency": latencies(merged),
    }


def repeated(shares: list[crew.Share]) -> int:
    """Return how many claims of a round were of a task that was claimed before."""
    claimed = [identity for share in shares for identity in share.claimed]
    return len(claimed) - len(set(claimed))


def lost(depth: int, shares: list[crew.Share], left: list[Hashable]) -> int:
    """Return how many of the tasks that were stored in a round nobody was given, then or afterwards."""
    stored = depth + sum(len(share.latencies["enqueue"]) for share in shares)
    return stored - len({identity for share in shares for identity in share.claimed}.union(left))


def flatness(found: Sequence[flat.Flatness]) -> list[dict[str, Any]]:
    """Return the claims among few tasks and among many."""
    return [
        {
            "strategy": one.strategy,
            "beside": one.beside,
            **{
                name: {"first": round(side.first * 1e6, 1), **Latency.of(side.later).to_dict()}
                for name, side in (("small", one.small), ("large", one.large))
            },
        }
        for one in found
    ]


def priced(found: Sequence[prices.Price]) -> list[dict[str, Any]]:
    """Return the floor's calls with everything, without each object, and without all of them."""
    return [{"without": one.without, "latency": latencies(one.seconds)} for one in found]

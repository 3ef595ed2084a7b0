"""The run: every measurement in one go on one file system, as a value that JSON can hold."""

from __future__ import annotations

import platform
import shutil
import sqlite3
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import crew, flat, prices, single
from .measure import Latency, fairness
from .queues.candidate import EVERY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LEVELS = ("NORMAL", "FULL")
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything is measured."""

    single: dict[str, single.Size]
    crew: crew.CrewSize
    flat: flat.FlatSize
    cleanup: int
    prices: single.Size


FULL_PLAN = Plan(
    single={"NORMAL": single.Size(1000, 40, 50), "FULL": single.Size(1000, 100, 4)},
    crew=crew.CrewSize(1000, 4, 2.0),
    flat=flat.FlatSize(1000, 1_000_000, 15, 20),
    cleanup=100_000,
    prices=single.Size(1000, 30, 50),
)
QUICK_PLAN = Plan(
    single={"NORMAL": single.Size(10, 2, 5), "FULL": single.Size(10, 2, 5)},
    crew=crew.CrewSize(10, 1, 0.1),
    flat=flat.FlatSize(10, 300, 2, 5),
    cleanup=1500,
    prices=single.Size(10, 2, 5),
)


def measured(plan: Plan, place: Path, tell: Callable[[str], None]) -> dict[str, Any]:
    """Measure everything in a folder under ``place``. Raises ValueError if that is memory and no disk."""
    with tempfile.TemporaryDirectory(prefix="taskq-bench-", dir=place) as name:
        folder = Path(name)
        kind = filesystem_of(folder)
        if kind in _IN_MEMORY:
            raise ValueError(f"{place} is on {kind}, where syncing costs nothing; name a folder on a disk by --folder")
        found: dict[str, Any] = {"machine": _machine(kind), "plan": _plan(plan)}
        for level in LEVELS:
            tell(f"single calls, synchronous {level}")
            found[f"single {level}"] = _singles(single.measure(EVERY, level, plan.single[level], _in(folder)))
            tell(f"{crew.PROCESSES} processes, synchronous {level}")
            found[f"crew {level}"] = _crews(crew.measure(EVERY, level, plan.crew, _in(folder)))
        tell("prices of indexes and triggers")
        found["prices"] = _prices(prices.measure(plan.prices, _in(folder)))
        tell("statistics and cleanup")
        found["statistics"] = Latency.of(flat.statistics(plan.flat, _in(folder))).to_dict()
        found["cleanup"] = Latency.of(flat.cleanup(plan.cleanup, _in(folder))).to_dict()
        tell("flatness")
        found["flat"] = _flatness(flat.claims(plan.flat, _in(folder)))
    return found


def filesystem_of(folder: Path) -> str:
    """Return the type of the file system that holds the folder, ``unknown`` where nothing says."""
    mounts = Path("/proc/self/mounts")
    if not mounts.exists():
        return "unknown"
    parts = (line.split() for line in mounts.read_text(encoding="utf-8").splitlines())
    holding = [(part[1], part[2]) for part in parts if folder.resolve().is_relative_to(part[1])]
    return max(holding, key=lambda mount: len(mount[0]), default=("", "unknown"))[1]


def _in(folder: Path) -> Path:
    """Return a part's own folder, after throwing away what the part before left."""
    part = folder / "part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    return part


def _machine(filesystem: str) -> dict[str, str]:
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "python": ".".join(map(str, sys.version_info[:3])),
        "sqlite": sqlite3.sqlite_version,
        "filesystem": filesystem,
    }


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "depth": plan.crew.depth,
        "seconds": plan.crew.rounds * plan.crew.seconds,
        "small": plan.flat.small,
        "large": plan.flat.large,
        "statistics": plan.flat.large // 3 * 3,
        "cleanup": plan.cleanup,
    }


def _latencies(seconds: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    return {operation: Latency.of(samples).to_dict() for operation, samples in seconds.items() if samples}


def _singles(samples: Sequence[single.Samples]) -> list[dict[str, Any]]:
    return [
        {
            "name": one.name,
            "records_completion": one.records_completion,
            "synchronous": one.synchronous,
            "per_second": round(len(one.seconds["cycle"]) / sum(one.seconds["cycle"])),
            "latency": _latencies(one.seconds),
        }
        for one in samples
    ]


def _crews(crews: Sequence[crew.Rounds]) -> list[dict[str, Any]]:
    return [_crew(one) for one in crews]


def _crew(one: crew.Rounds) -> dict[str, Any]:
    shares = [share for shares in one.shares for share in shares]
    per_process = [sum(share.cycles for share in own) for own in zip(*one.shares, strict=True)]
    merged = {name: [each for share in shares for each in share.latencies[name]] for name in shares[0].latencies}
    return {
        "name": one.name,
        "records_completion": one.records_completion,
        "per_second": round(sum(share.cycles / share.seconds for share in shares) / len(one.shares)),
        "shares": per_process,
        "fairness": round(fairness(per_process), 3),
        "least_fair_round": round(min(fairness([share.cycles for share in shares]) for shares in one.shares), 3),
        "lock_errors": sum(share.lock_errors for share in shares),
        "found_nothing": sum(share.found_nothing for share in shares),
        "claimed_twice": sum(_repeated(shares) for shares in one.shares),
        "latency": _latencies(merged),
    }


def _repeated(shares: list[crew.Share]) -> int:
    claimed = [identity for share in shares for identity in share.claimed]
    return len(claimed) - len(set(claimed))


def _prices(found: Sequence[prices.Price]) -> list[dict[str, Any]]:
    return [{"without": one.without, "latency": _latencies(one.seconds)} for one in found]


def _flatness(found: Sequence[flat.Flatness]) -> list[dict[str, Any]]:
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

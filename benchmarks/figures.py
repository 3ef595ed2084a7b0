"""The run on SQLite: every measurement in one go on one file system, as a value that JSON can hold."""

from __future__ import annotations

import platform
import shutil
import sqlite3
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import batches, crew, flat, prices, single
from .measure import Latency
from .places import Files
from .queues.candidate import EVERY, REFERENCE
from .values import crews, flatness, priced, singles

if TYPE_CHECKING:
    from collections.abc import Callable

LEVELS = ("NORMAL", "FULL")
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything is measured; single calls by the level of durability."""

    single: dict[str, single.Size]
    crew: crew.CrewSize
    flat: flat.FlatSize
    cleanup: int
    prices: single.Size
    batches: single.Size


FULL_PLAN = Plan(
    single={
        "NORMAL": single.Size(1000, 40, 50),
        "FULL": single.Size(1000, 100, 4),
        "on": single.Size(1000, 60, 4),
        "off": single.Size(1000, 20, 20),
    },
    crew=crew.CrewSize(1000, 4, 2.0),
    flat=flat.FlatSize(1000, 1_000_000, 15, 20),
    cleanup=100_000,
    prices=single.Size(1000, 30, 50),
    batches=single.Size(100, 6, 2),
)
QUICK_PLAN = Plan(
    single={level: single.Size(10, 2, 5) for level in ("NORMAL", "FULL", "on", "off")},
    crew=crew.CrewSize(10, 1, 0.1),
    flat=flat.FlatSize(10, 300, 2, 5),
    cleanup=1500,
    prices=single.Size(10, 2, 5),
    batches=single.Size(10, 1, 1),
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
            found[f"single {level}"] = singles(single.measure(EVERY, level, plan.single[level], Files(_in(folder))))
        with crew.Crew() as workers:
            for level in LEVELS:
                tell(f"{crew.PROCESSES} processes, synchronous {level}")
                rounds = crew.measure(workers, EVERY, level, plan.crew, Files(_in(folder)))
                found[f"crew {level}"] = crews(rounds)
        tell("batches")
        for level in LEVELS:
            found[f"batches {level}"] = [
                one.to_dict() for one in batches.measure([REFERENCE], level, plan.batches, Files(_in(folder)))
            ]
        tell("prices of indexes and triggers")
        found["prices"] = priced(prices.measure(plan.prices, _in(folder)))
        tell("statistics and cleanup")
        found["statistics"] = Latency.of(flat.statistics(plan.flat, _in(folder))).to_dict()
        found["cleanup"] = Latency.of(flat.cleanup(plan.cleanup, _in(folder))).to_dict()
        tell("flatness")
        found["flat"] = flatness(flat.claims(plan.flat, _in(folder)))
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
        "rounds": plan.crew.rounds,
        "seconds": plan.crew.rounds * plan.crew.seconds,
        "small": plan.flat.small,
        "large": plan.flat.large,
        "statistics": plan.flat.large // 3 * 3,
        "cleanup": plan.cleanup,
    }

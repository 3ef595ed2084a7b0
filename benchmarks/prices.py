"""What each index and trigger of the reference costs: the floor with and without it, taking turns."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .queues.floor import Floor
from .single import OPERATIONS, Size, block_of

if TYPE_CHECKING:
    from pathlib import Path

    from .queues.candidate import Candidate

_OBJECTS = """
    SELECT type, name FROM sqlite_master
    WHERE type IN ('index', 'trigger') AND tbl_name = 'task_queue' AND name NOT LIKE 'sqlite_%' ORDER BY type, name
"""


@dataclass(slots=True)
class Price:
    """The samples of the floor's calls on a table that lacks one object; ``without`` is empty where all are there."""

    without: str
    seconds: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in OPERATIONS})


def measure(size: Size, folder: Path) -> list[Price]:
    """Return the samples with everything, without each object, and without all of them."""
    variants = variants_of(_objects(folder / "objects"))
    floors = [_floor_without(folder / f"price-{number}", gone) for number, (_, gone) in enumerate(variants)]
    prices = [Price(name) for name, _ in variants]
    in_turns(list(zip(floors, prices, strict=True)), size)
    for floor in floors:
        floor.close()
    return prices


def variants_of(objects: list[tuple[str, str]]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what is to be measured: a name, and the kinds and names of what is gone."""
    return [("", []), *((name, [(kind, name)]) for kind, name in objects), ("all of these", objects)]


def in_turns(turns: list[tuple[Candidate, Price]], size: Size) -> None:
    """Add the samples of all rounds to the prices."""
    for floor, _ in turns:
        for _ in range(size.depth):
            floor.enqueue()
    for _ in range(size.rounds):
        random.shuffle(turns)
        for floor, price in turns:
            block_of(floor, size.block, price.seconds)


def _objects(path: Path) -> list[tuple[str, str]]:
    Floor(str(path), "NORMAL").close()
    with closing(sqlite3.connect(path)) as connection:
        return [(row[0], row[1]) for row in connection.execute(_OBJECTS)]


def _floor_without(path: Path, gone: list[tuple[str, str]]) -> Floor:
    Floor(str(path), "NORMAL").close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for kind, name in gone:
            connection.execute(f"DROP {kind} {name}")
    return Floor(str(path), "NORMAL", initialize=False)

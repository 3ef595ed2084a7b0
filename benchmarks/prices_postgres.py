"""What each index and trigger of the reference costs on PostgreSQL, asked as in ``prices``."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from pytest_taskq.postgres.server import connected

from .prices import Price, in_turns, variants_of
from .queues.postgres import PostgresFloor

if TYPE_CHECKING:
    from .places import Places
    from .single import Size

_LEVEL = "off"  # a flush takes ten times as long as an index
_OBJECTS = """
    SELECT 'INDEX', relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE indrelid = 'task_queue'::regclass AND NOT indisprimary
    UNION ALL
    SELECT 'TRIGGER', tgname FROM pg_trigger WHERE tgrelid = 'task_queue'::regclass AND NOT tgisinternal
    ORDER BY 1, 2
"""


def measure(size: Size, places: Places) -> list[Price]:
    """Return the samples with everything, without each object, and without all of them."""
    with ExitStack() as stack:
        variants = variants_of(_objects(stack.enter_context(places.fresh("objects", _LEVEL))))
        turns = []
        for name, gone in variants:
            floor = _floor_without(stack.enter_context(places.fresh("price", _LEVEL)), gone)
            stack.callback(floor.close)
            turns.append((floor, Price(name)))
        prices = [price for _, price in turns]
        in_turns(turns, size)
        return prices


def _objects(place: str) -> list[tuple[str, str]]:
    PostgresFloor(place, _LEVEL).close()
    with connected(place) as connection:
        return [(row[0], row[1]) for row in connection.execute(_OBJECTS).fetchall()]


def _floor_without(place: str, gone: list[tuple[str, str]]) -> PostgresFloor:
    PostgresFloor(place, _LEVEL).close()
    with connected(place) as connection:
        for kind, name in gone:
            connection.execute(f"DROP {kind} {name}{' ON task_queue' * (kind == 'TRIGGER')}")
    return PostgresFloor(place, _LEVEL)

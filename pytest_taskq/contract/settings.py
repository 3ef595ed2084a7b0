"""What a connection must run with (INF-04), as data; who asks a connection is elsewhere."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """What is in force on a connection, whether it fits the contract, and what would, in words."""

    name: str
    value: object
    fits: bool
    expected: str


PRAGMAS = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")


def pragma(name: str, value: object) -> Setting:
    """Return one of ``PRAGMAS`` judged by the value that SQLite gives; ``synchronous`` counts from 0, OFF, to 3."""
    if name == "journal_mode":
        return Setting(name, value, value == "wal", "wal")
    return Setting(name, value, isinstance(value, int) and value >= 1, "at least 1")

"""What is in force on a connection of the code under test, as the server says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.contract.settings import Setting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg.pq.abc import PGconn

    from pytest_taskq.contract import Connection

_ISOLATION = ("read committed", "repeatable read", "serializable")
_BOUNDS = ("lock_timeout", "statement_timeout")


def settings_of(connection: Connection) -> Sequence[Setting]:
    """Return the isolation, and the bound on waiting for a lock.

    ``read uncommitted`` is refused although PostgreSQL gives read committed for it: who asked for it expects another
    isolation than there is. A wait for a lock is bounded by ``lock_timeout`` or by ``statement_timeout``; both are off
    unless somebody sets them, and a call would then hang where QueueBusyError is due.
    """
    found = in_force(connection, ("transaction_isolation", *_BOUNDS))
    isolation = found["transaction_isolation"]
    limits = ", ".join(f"{name}={found[name]}" for name in _BOUNDS)
    return (
        Setting("transaction_isolation", isolation, isolation in _ISOLATION, f"one of {', '.join(_ISOLATION)}"),
        Setting(
            "the bound on waiting for a lock",
            limits,
            any(found[name] != "0" for name in _BOUNDS),
            "lock_timeout or statement_timeout of at least 1 ms",
        ),
    )


def in_force(connection: Connection, names: Sequence[str]) -> Mapping[str, str]:
    """Return settings by their names, as the server shows them. ``names`` are constants of the caller's."""
    return {name: str(connection.execute(f"SHOW {name}").fetchone()[0]) for name in names}


def in_force_now(pgconn: PGconn, names: Sequence[str]) -> dict[str, str]:
    """Return settings by their names where the next statement of a connection would run; {} in a failed transaction.

    Asked below the driver, which then neither begins a transaction for it nor knows of it.
    """
    asked = ", ".join(f"current_setting('{name}')" for name in names)
    result = pgconn.exec_(f"SELECT {asked}".encode())
    values = [result.get_value(0, column) for column in range(len(names))] if result.ntuples else []
    return {name: (value or b"").decode() for name, value in zip(names, values, strict=False)}

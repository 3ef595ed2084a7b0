"""What PostgreSQL says went wrong, in the queue's own classes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from psycopg import errors

from pytest_taskq.reference_impl.errors import QueueBusyError, QueueDatabaseError, QueueSchemaError

if TYPE_CHECKING:
    from collections.abc import Iterator

# The server has undone the whole transaction before it says so: doing it again is safe.
UNDONE = (errors.SerializationFailure, errors.DeadlockDetected)
_LACKING = (
    errors.UndefinedTable,
    errors.UndefinedColumn,
    errors.UndefinedFunction,
    errors.UndefinedObject,
    errors.InvalidSchemaName,
)


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Raise every error of psycopg in the block as a ``QueueDatabaseError`` or a subclass, with its cause chained."""
    try:
        yield
    except psycopg.Error as error:
        raise translation(error, place) from error


def translation(error: psycopg.Error, place: str) -> QueueDatabaseError:
    """Return the error of ours that says the same as ``error``."""
    said = str(error).strip()
    if isinstance(error, errors.LockNotAvailable):
        return QueueBusyError(f"{place}: others held a lock for the whole busy timeout ({said}); try again")
    if isinstance(error, UNDONE):
        return QueueBusyError(f"{place}: undone because it collided with others ({said}); try again")
    if isinstance(error, _LACKING):
        return QueueSchemaError(
            f"{place} lacks what the queue needs ({said}); run initialize_schema() on it, and make sure that the "
            "schema its search path begins with exists"
        )
    if is_lost(error):
        return QueueDatabaseError(
            f"{place}: the connection was lost ({said}); what its transaction had done is undone, try again"
        )
    return QueueDatabaseError(f"{place}: {said}")


def is_lost(error: psycopg.Error) -> bool:
    """Whether there is no connection any more: the server ended it, went away, or never answered."""
    gone = isinstance(error, errors.AdminShutdown | errors.CrashShutdown | errors.CannotConnectNow)
    return gone or (isinstance(error, psycopg.OperationalError) and error.sqlstate is None)

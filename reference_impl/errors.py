"""What goes wrong with the database, in three classes that a caller can tell apart."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class QueueDatabaseError(Exception):
    """The database did not do what was asked; the cause is chained."""


class QueueBusyError(QueueDatabaseError):
    """Others held the lock for longer than the busy timeout; nothing was written, try again."""


class QueueSchemaError(QueueDatabaseError):
    """The file is not a database, or lacks a table or column of the queue."""


class QueueOutcomeUnknownError(QueueDatabaseError):
    """The connection was lost after the work was sent: it may be stored or not. Look before doing it again."""


_SCHEMA_TEXTS = ("no such table", "no such column", "has no column", "no such index", "no such view")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise every ``sqlite3.Error`` of the block as a ``QueueDatabaseError`` or a subclass, with its cause chained."""
    try:
        yield
    except sqlite3.Error as error:
        raise translation(error, path) from error


def translation(error: sqlite3.Error, path: Path) -> QueueDatabaseError:
    """Return the error of ours that says the same as ``error``."""
    code = primary_code(error)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return QueueBusyError(f"{path} stayed locked by others for the whole busy timeout ({error}); try again")
    if code == sqlite3.SQLITE_NOTADB:
        return QueueSchemaError(f"{path} is not an SQLite database ({error}); name another file or remove this one")
    if code == sqlite3.SQLITE_SCHEMA or any(text in str(error) for text in _SCHEMA_TEXTS):
        return QueueSchemaError(f"{path} lacks what the queue needs ({error}); run initialize_schema() on it")
    if code == sqlite3.SQLITE_CANTOPEN:
        return QueueDatabaseError(f"{path} cannot be opened ({error}): {_obstacle(path)}")
    return QueueDatabaseError(f"{path}: {error}")


def primary_code(error: sqlite3.Error) -> int | None:
    """Return SQLite's primary result code, None for an error of the Python module itself."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _obstacle(path: Path) -> str:
    if path.is_dir():
        return "it is a directory; name a file in it"
    if not path.parent.is_dir():
        return f"the folder {path.parent} does not exist; create it first"
    return "check that the file and its folder may be written"

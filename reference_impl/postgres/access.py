"""How every verb of the queue reaches PostgreSQL, and how it says what it checked."""

from __future__ import annotations

import re
from contextlib import contextmanager
from math import ceil
from typing import TYPE_CHECKING

from pytest_taskq.reference_impl import checks
from pytest_taskq.reference_impl.access import Access

from . import schema
from .database import PostgresDatabase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.contract import Connection

# Two things that JSON can spell and jsonb cannot hold: NUL, and half of a surrogate pair.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class PostgresAccess(Access):
    """The database, with what the reference adds to the contract's tables put there before the first write.

    On the reference's own database every statement is a transaction of its own; another team's database object is
    asked for its ``transaction()``.
    """

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        if isinstance(self.db, PostgresDatabase):
            with self.db.reading() as statements:
                yield statements
            return
        with self.db.connection() as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        if not isinstance(self.db, PostgresDatabase):
            with super()._write() as connection:
                yield connection
            return
        if not self.db.has_extras:
            with self.db.transaction() as connection:
                self._extend(connection)
            self.db.has_extras = True
        with self.db.writing() as statements:
            yield statements

    def _extend(self, connection: Connection) -> None:
        if not self._has_extras and not schema.has_extras(connection):
            schema.add_extras(connection)

    def _text(self, name: str, value: object) -> str:
        """Return ``value`` if it is a non-empty text that PostgreSQL can hold."""
        checked = checks.text(name, value)
        if "\0" in checked:
            raise ValueError(f"{name} holds NUL, which PostgreSQL cannot store in a text: {checked!r:.200}")
        return checked

    def _is_storable(self, value: str) -> bool:
        return checks.is_storable(value) and "\0" not in value

    def _error_text(self, error: object) -> str:
        """Return any error as text that PostgreSQL can hold, NUL escaped. Never raises."""
        return checks.error_text(error).replace("\0", "\\x00")

    def _json_object(self, name: str, value: object) -> str:
        """Return a mapping with string keys as JSON text that PostgreSQL can compare, ``{}`` for None."""
        text = checks.json_object(name, value)
        if not is_comparable(text):
            raise ValueError(f"{name} holds NUL or a lone surrogate, which PostgreSQL's jsonb cannot hold: {text:.200}")
        return text

    def _later(self, delay: float) -> float:
        """Return microseconds from now, rounded up."""
        return float(ceil(delay * 1_000_000))

    def _earlier(self, age: float) -> float:
        """Return microseconds before now, rounded up."""
        return self._later(age)


def is_comparable(text: str) -> bool:
    """Whether jsonb can hold what the JSON text says."""
    if _NUL.search(text):
        return False
    if "\\ud" not in text:
        return True
    import json

    return checks.is_storable(json.dumps(json.loads(text), ensure_ascii=False))

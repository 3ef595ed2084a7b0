"""Which server to use, and a schema on it that nobody else has."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "PYTEST_TASKQ_DSN"
LOCAL = "postgresql://postgres@127.0.0.1:5432/test"
SCHEMES = ("postgresql://", "postgres://")
WAYS = (
    f"give --taskq-dsn=postgresql://…, set {VARIABLE}=postgresql://…, "
    f"or run a server that answers at {LOCAL} without a password"
)
_PATIENCE = 3  # seconds for a local server to answer


class NoServerError(Exception):
    """There is no PostgreSQL to use; the text says why and names the ways to provide one."""


def find_server(dsn: str | None = None) -> str:
    """Return the DSN of the server: ``dsn``, else the environment's, else the local one if it answers.

    What was named is taken at its word and not tried. Raises NoServerError.
    """
    for named in (dsn, os.environ.get(VARIABLE)):
        if named and named.startswith(SCHEMES):
            return named
    try:
        import psycopg
    except ImportError as error:
        raise NoServerError(
            f"PostgreSQL needs psycopg 3, which cannot be imported ({error}); pip install 'pytest-taskq[postgres]'"
        ) from error
    try:
        psycopg.connect(LOCAL, connect_timeout=_PATIENCE).close()
    except psycopg.Error as error:
        raise NoServerError(f"no PostgreSQL server ({str(error).strip()}): {WAYS}") from error
    return LOCAL


@contextmanager
def schema_of_its_own(server: str, *, options: str = "") -> Iterator[tuple[str, str]]:
    """Yield a DSN whose tables lie in a new schema, and the schema's name; it is dropped at the end, with all in it.

    ``pg_catalog`` comes after it on the search path, so that a function of the schema takes the place of one of the
    server's. ``options`` are further ones of libpq, such as ``-csynchronous_commit=off``.
    """
    import psycopg

    name = f"taskq_{uuid4().hex[:16]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")  # type: ignore[call-overload] # a name of our own making
    try:
        yield _with_options(server, f"-csearch_path={name},pg_catalog {options}".strip()), name
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP SCHEMA {name} CASCADE")  # type: ignore[call-overload] # the same


def _with_options(server: str, options: str) -> str:
    return f"{server}{'&' if '?' in server else '?'}options={quote(options)}"

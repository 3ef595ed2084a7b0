"""Which server to use, and a schema on it that nobody else has."""

from __future__ import annotations

import os
from contextlib import contextmanager
from os import urandom  # this very one: interleavings make that of `os` repeat itself, and a schema's name must not
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import psycopg

KIT = "pytest-taskq"
VARIABLE = "PYTEST_TASKQ_DSN"
LOCAL = "postgresql://postgres@127.0.0.1:5432/test"
SCHEMES = ("postgresql://", "postgres://")
WAYS = (
    f"give --taskq-dsn=postgresql://…, set {VARIABLE}=postgresql://…, "
    f"or run a server that answers at {LOCAL} without a password"
)
_PATIENCE = 3  # seconds for a local server to answer, and for a server process to end


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


def why_unusable(dsn: str) -> str:
    """Return why no schema can be made on the server, "" if one can; nothing is left there."""
    try:
        import psycopg
    except ImportError as error:
        return f"it needs psycopg 3, which cannot be imported ({error}); pip install 'pytest-taskq[postgres]'"
    try:
        with psycopg.connect(dsn, connect_timeout=_PATIENCE) as connection:
            may = "SELECT has_database_privilege(current_database(), 'CREATE'), current_user, current_database()"
            allowed, user, database = connection.execute(may).fetchone() or (False, "", "")
    except psycopg.Error as error:
        return f"the server does not answer ({str(error).strip()})"
    return "" if allowed else f"{user} may not create schemas in the database {database}"


def connected(dsn: str, **settings: Any) -> psycopg.Connection[Any]:  # noqa: ANN401 - those of psycopg
    """Return a connection of the kit's own, in autocommit mode, that no search for the code's own will find."""
    import psycopg

    return psycopg.connect(dsn, autocommit=True, application_name=KIT, **settings)


def version_of(dsn: str) -> str:
    """Return the version of the server."""
    with connected(dsn) as connection:
        return str(connection.info.parameter_status("server_version")).partition(" ")[0]


def end_backends(connection: psycopg.Connection[Any], backends: Collection[int]) -> None:
    """End server processes, and return when they are gone and what each had open is undone."""
    if not backends:
        return
    connection.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::integer[]) AS pid", (list(backends),))
    deadline = monotonic() + _PATIENCE
    # Told to wait by itself, pg_terminate_backend would look every 100 ms.
    while connection.execute(_ALIVE, (list(backends),)).fetchall() and monotonic() < deadline:
        sleep(_PAUSE)


_ALIVE = "SELECT pid FROM pg_stat_activity WHERE pid = ANY (%s)"
_PAUSE = 0.0005


@contextmanager
def schema_of_its_own(server: str, *, options: str = "") -> Iterator[tuple[str, str]]:
    """Yield a DSN whose tables lie in a new schema, and the schema's name; it is dropped at the end, with all in it.

    ``pg_catalog`` comes after it on the search path, so that a function of the schema takes the place of one of the
    server's. Connections made with the DSN carry the schema's name as their ``application_name``. ``options`` are
    further ones of libpq, such as ``-csynchronous_commit=off``.
    """
    name = f"taskq_{urandom(8).hex()}"
    with connected(server) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    try:
        yield _into(server, name, options), name
    finally:
        with connected(server) as connection:
            connection.execute(f"DROP SCHEMA {name} CASCADE")


def _into(dsn: str, schema: str, options: str) -> str:
    """Return the DSN of a schema: with libpq's options after those that it has, and a name to know connections by."""
    parts = urlsplit(dsn)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    query["application_name"] = schema
    # Last, so that more of them can be added at the end.
    query["options"] = f"{query.pop('options', '')} -csearch_path={schema},pg_catalog {options}".strip()
    return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote)))

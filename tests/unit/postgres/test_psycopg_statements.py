from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress

import pytest

from pytest_taskq.postgres.server import connected, schema_of_its_own

psycopg = pytest.importorskip("psycopg")

from pytest_taskq.postgres.statements import HOOK  # noqa: E402 - it imports psycopg


class Keeps:
    """Keeps what it is told; refuses a statement that begins with ``refuses``."""

    def __init__(self):
        self.told = []
        self.rows = []
        self.backends = []
        self.refuses = "nothing"

    def opened(self, connection, *, rows_seen):
        assert rows_seen
        self.told.append("opened")

    def begins(self, statement):
        self.told.append((statement.sql, statement.parameters))
        if statement.sql.startswith(self.refuses):
            raise KeyboardInterrupt

    def aside(self, statement):
        self.told.append(("aside", statement.sql))

    def ended(self, statement, seen):
        self.told.append(("ended", seen))

    def failed(self, statement, error):
        self.told.append(("failed", type(error).__name__))
        return False

    def fetched(self, connection, rows):
        self.rows += rows

    def unseen(self):
        self.told.append("unseen")

    def met(self, connection):
        self.told.append("met")

    def sent(self, backend):
        self.backends.append(backend)

    def answered(self):
        self.backends.append(None)

    def closing(self, connection):
        self.told.append("closing")

    def closed(self, backend):
        self.told.append(("closed", backend))

    @property
    def statements(self):
        return [one[0] for one in self.told if isinstance(one, tuple) and one[0] not in ("ended", "failed", "closed")]


@pytest.fixture(scope="module")
def dsn(postgres_server):
    with schema_of_its_own(postgres_server) as (dsn, _):
        with connected(dsn) as connection:
            connection.execute("CREATE TABLE numbers (n integer)")
        yield dsn


@pytest.fixture
def listener():
    return Keeps()


@contextmanager
def told(listener, dsn, **options):
    with HOOK.telling(listener), psycopg.connect(dsn, **options) as connection:
        yield connection


def test_a_statement_is_told_with_its_parameters_its_status_and_its_rows(listener, dsn):
    with told(listener, dsn, autocommit=True) as connection:
        connection.execute("SELECT %s::int, 'a', true, NULL::int", (7,))
        backend = connection.info.backend_pid
    expected = ["opened", ("SELECT %s::int, 'a', true, NULL::int", (7,)), ("ended", "SELECT 1")]
    assert listener.told == [*expected, "closing", ("closed", backend)]
    assert listener.rows == [(7, "a", True, None)]
    assert listener.backends[:4] == [0, None, backend, None], "it waits while it connects, and for each answer"


def test_what_psycopg_sends_by_itself_is_told(listener, dsn):
    with told(listener, dsn) as connection:
        connection.execute("SELECT 1")
        connection.commit()
        connection.commit()  # nothing is open, so nothing is sent
        connection.execute("SELECT 2")
        connection.rollback()
        with connection.transaction(), connection.transaction(force_rollback=True):
            connection.execute("SELECT 3")
        connection.execute("SELECT 4")
    first = ["SELECT 1", "COMMIT", "SELECT 2", "ROLLBACK"]
    block = ["BEGIN", "SAVEPOINT", "SELECT 3", "ROLLBACK TO SAVEPOINT", "COMMIT"]
    assert listener.statements == [*first, *block, "SELECT 4", "COMMIT"]
    assert "unseen" not in listener.told


def test_the_end_of_a_with_block_that_raised_is_a_rollback(listener, dsn):
    with suppress(LookupError), told(listener, dsn) as connection:
        connection.execute("SELECT 1")
        raise LookupError
    assert listener.statements == ["SELECT 1", "ROLLBACK"]


def test_composed_sql_and_bytes_are_told_as_text(listener, dsn):
    with told(listener, dsn, autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("SELECT n FROM {}").format(psycopg.sql.Identifier("numbers")))
        connection.execute(b"SELECT 5")
    assert listener.statements == ['SELECT n FROM "numbers"', "SELECT 5"]


def test_an_error_is_told(listener, dsn):
    with suppress(psycopg.Error), told(listener, dsn, autocommit=True) as connection:
        connection.execute("SELECT nothing")
    assert ("failed", "UndefinedColumn") in listener.told


def test_what_the_listener_raises_keeps_the_statement_from_being_sent(listener, dsn):
    listener.refuses = "INSERT"
    with suppress(KeyboardInterrupt), told(listener, dsn, autocommit=True) as connection:
        connection.execute("INSERT INTO numbers VALUES (99)")
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT * FROM numbers WHERE n = 99").fetchall() == []


def from_server_cursor(connection):
    with connection.cursor("named") as cursor:
        cursor.execute("SELECT 1").fetchall()


@pytest.mark.parametrize(
    ("use", "shown"),
    [
        (lambda connection: list(connection.cursor().stream("SELECT 1")), "SELECT 1"),
        (lambda connection: connection.cursor().executemany("SELECT %s", [(1,), (2,)]), "the statements of a pipeline"),
        (from_server_cursor, "DECLARE a cursor FOR SELECT 1"),
        (lambda connection: connection.execute("SELECT 1; SELECT 2"), "SELECT 1; SELECT 2"),
        (lambda connection: connection.cursor().copy("COPY numbers TO STDOUT").__enter__(), "COPY numbers TO STDOUT"),
    ],
    ids=["stream", "executemany", "server cursor", "script", "copy"],
)
def test_rows_that_are_given_out_in_another_way_are_said_to_be_unseen(listener, dsn, use, shown):
    with told(listener, dsn) as connection:
        use(connection)
        connection.close()
    assert shown in listener.statements
    assert "unseen" in listener.told


def test_what_is_sent_in_a_pipeline_goes_with_it(listener, dsn):
    with told(listener, dsn, autocommit=True) as connection, connection.pipeline():
        connection.execute("SELECT 1")
        connection.execute("SELECT 2")
    assert listener.statements == ["the statements of a pipeline", "aside", "aside"]


def test_async_connections_are_told_of(listener, dsn):
    async def use():
        async with await psycopg.AsyncConnection.connect(dsn) as connection, connection.transaction():
            await connection.execute("SELECT 1")
            return connection.info.backend_pid

    with HOOK.telling(listener):
        backend = asyncio.run(use())
    assert listener.statements == ["BEGIN", "SELECT 1", "COMMIT"]
    assert listener.told[-1] == ("closed", backend)


def test_connections_of_the_kit_are_left_alone(listener, dsn):
    with HOOK.telling(listener), connected(dsn) as connection:
        connection.execute("SELECT 1")
    assert listener.told == []


def test_a_connection_from_before_is_met_and_not_told_of(listener, dsn):
    with psycopg.connect(dsn, autocommit=True) as connection, HOOK.telling(listener):
        connection.execute("SELECT 1")
    assert listener.told == ["met"]


def test_a_connection_of_the_codes_own_class_is_told_of(listener, dsn):
    class Own(psycopg.Connection):
        pass

    with HOOK.telling(listener), Own.connect(dsn, autocommit=True) as connection:
        connection.execute("SELECT 1")
    assert listener.statements == ["SELECT 1"]


def test_there_is_one_listener_at_a_time_and_nothing_is_left_of_it(listener, dsn):
    before = [psycopg.Connection.wait, psycopg.Connection.__init__, psycopg.waiting.wait_conn]
    with HOOK.telling(listener), pytest.raises(RuntimeError, match="has a listener already"), HOOK.telling(Keeps()):
        pass
    assert [psycopg.Connection.wait, psycopg.Connection.__init__, psycopg.waiting.wait_conn] == before
    with psycopg.connect(dsn) as connection:
        connection.execute("SELECT 1")
    assert listener.told == []

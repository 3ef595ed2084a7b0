from __future__ import annotations

import pytest

from pytest_taskq.postgres.server import connected, schema_of_its_own

psycopg = pytest.importorskip("psycopg")

from pytest_taskq.postgres.contents import Contents  # noqa: E402 - it imports psycopg

TABLES = """
    CREATE TABLE kinds (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz, data jsonb, name text, list int[], raw bytea
    );
    CREATE TABLE lines (kind bigint REFERENCES kinds);
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''a trigger fired''; END';
    INSERT INTO kinds (at, data, name, list, raw) VALUES
        ('-infinity', '{"a": [1, null]}', 'it''s (1,"2")\\', '{1,NULL}', '\\x00ff'), (NULL, NULL, '', '{}', NULL);
    INSERT INTO lines VALUES (2), (1), (NULL);
    CREATE INDEX by_name ON kinds (name);
    CREATE TRIGGER refuses BEFORE INSERT ON lines EXECUTE FUNCTION refuse();
"""


@pytest.fixture
def connection(postgres_server):
    with schema_of_its_own(postgres_server) as (dsn, name), connected(dsn) as connection:
        connection.execute(TABLES)
        connection.schema = name
        yield connection


def rows(connection):
    return [connection.execute(f"SELECT one::text FROM {name} AS one").fetchall() for name in ("kinds", "lines")]


def test_rows_of_all_types_their_order_and_the_sequences_are_put_back(connection):
    contents, before = Contents(connection.schema), rows(connection)
    contents.remember(connection)
    connection.execute("DELETE FROM lines")
    connection.execute("UPDATE kinds SET name = 'other' WHERE id = 1")
    connection.execute("INSERT INTO kinds (name) VALUES ('one more')")
    assert contents.put_back(connection)
    assert rows(connection) == before
    assert connection.execute("INSERT INTO kinds (name) VALUES ('next') RETURNING id").fetchone() == (3,)


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE more ()",
        "CREATE INDEX more ON lines (kind)",
        "DROP INDEX by_name; CREATE INDEX by_name ON kinds (at)",
        "DROP TABLE lines; CREATE TABLE lines (kind text)",
        "DROP TRIGGER refuses ON lines",
    ],
)
def test_a_schema_of_another_shape_is_left_as_it_is(connection, change):
    contents = Contents(connection.schema)
    contents.remember(connection)
    connection.execute(f"{change}; DELETE FROM lines")
    assert not contents.put_back(connection)
    assert rows(connection)[1] == []

"""The contract's schema on PostgreSQL: what differs is named, what is only written differently passes."""

from __future__ import annotations

import pytest

from pytest_taskq.postgres.server import schema_of_its_own
from pytest_taskq.reference_impl import open_database, schema_problems

psycopg = pytest.importorskip("psycopg")
settings = pytest.importorskip("pytest_taskq.postgres.settings")

WRITTEN_DIFFERENTLY = """
    CREATE TABLE task_queue (
        id bigserial PRIMARY KEY,
        type varchar NOT NULL,
        priority integer DEFAULT '100',
        payload text NOT NULL,
        compatibility text DEFAULT '{}'::text NOT NULL,
        status text DEFAULT 'queued'::varchar,
        attempts int DEFAULT 0 NOT NULL,
        max_attempts int DEFAULT 5,
        run_after_utc timestamptz DEFAULT CURRENT_TIMESTAMP,
        reserved_at_utc timestamptz,
        lease_until_utc timestamptz,
        locked_by text,
        processing_started_utc timestamptz,
        finished_at_utc timestamptz,
        error_message text,
        idempotency_key text UNIQUE,
        created_at_utc timestamptz DEFAULT pg_catalog.now(),
        updated_at_utc timestamptz DEFAULT now()
    );
    CREATE TABLE workers (worker_id text PRIMARY KEY, capabilities text, heartbeat_utc timestamptz);
    CREATE TABLE task_logs (
        log_id serial PRIMARY KEY, task_id bigint REFERENCES task_queue ON DELETE CASCADE,
        at_utc timestamptz, level text, message text, details text
    );
"""


@pytest.fixture
def dsn(postgres_server):
    with schema_of_its_own(postgres_server) as (dsn, _):
        yield dsn


@pytest.fixture
def connection(dsn):
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def reference(dsn, connection):
    database = open_database(dsn)
    database.initialize_schema()
    database.close()
    return connection


def test_the_reference_has_the_schema_and_nothing_unknown(reference):
    assert schema_problems(reference) == ([], [])


def test_what_is_only_written_differently_passes(connection):
    connection.execute(WRITTEN_DIFFERENTLY)
    assert schema_problems(connection)[0] == []


def test_what_a_team_adds_is_noted(reference):
    reference.execute("ALTER TABLE task_queue ADD COLUMN colour text")
    reference.execute("CREATE INDEX mine ON task_queue (type)")
    reference.execute("CREATE TABLE notes (line text)")
    noted = ["extra column task_queue.colour", "extra index mine", "extra table notes"]
    assert schema_problems(reference) == ([], noted)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("DROP TABLE workers", "table workers is missing"),
        ("ALTER TABLE task_logs DROP COLUMN level", "column task_logs.level is missing"),
        ("ALTER TABLE task_queue ALTER type DROP NOT NULL", "task_queue.type accepts NULL"),
        ("ALTER TABLE task_queue ALTER locked_by SET NOT NULL", "task_queue.locked_by refuses NULL"),
        (
            "ALTER TABLE task_queue ALTER payload TYPE varchar(20)",
            "task_queue.payload is declared character varying(20), not character varying or text",
        ),
        (
            "ALTER TABLE task_queue ALTER created_at_utc DROP DEFAULT",
            "task_queue.created_at_utc has the default None, not current_timestamp or now()",
        ),
    ],
)
def test_what_differs_is_named(reference, change, problem):
    reference.execute(change)
    assert schema_problems(reference)[0] == [problem]


def fitting(connection):
    return [one.fits for one in settings.settings_of(connection)]


def test_waits_may_be_bounded_by_either_timeout(connection):
    assert fitting(connection) == [True, False]
    connection.execute("SET statement_timeout = '30s'")
    assert fitting(connection) == [True, True]
    connection.execute("SET statement_timeout = 0")
    connection.execute("SET lock_timeout = '5s'")
    assert fitting(connection) == [True, True]


def test_any_stronger_isolation_fits(connection):
    connection.execute("SET default_transaction_isolation = serializable")
    assert fitting(connection)[0]

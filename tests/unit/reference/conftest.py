from __future__ import annotations

import pytest
from stores import PostgresStore, SqliteStore

from pytest_taskq.reference_impl import queue_on


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    store = SqliteStore(f"sqlite:///{tmp_path_factory.mktemp('template')}/queue.db")
    store.open().initialize_schema()
    store.close()
    return store.opened[0].path.read_bytes()


@pytest.fixture(scope="session")
def postgres_schema(postgres_server):
    """A schema of this run's own, emptied for each test."""
    from pytest_taskq.postgres.clock import ShadowClock
    from pytest_taskq.postgres.server import schema_of_its_own

    with schema_of_its_own(postgres_server, options="-csynchronous_commit=off") as (dsn, name):
        clock = ShadowClock(postgres_server, name).install()
        store = PostgresStore(dsn, name, clock)
        store.open().initialize_schema()
        yield store
        store.close()
        clock.close()


@pytest.fixture
def sqlite_store(template, tmp_path):
    (tmp_path / "queue.db").write_bytes(template)
    store = SqliteStore(f"sqlite:///{tmp_path}/queue.db")
    store.open()
    yield store
    store.close()


@pytest.fixture
def postgres_store(postgres_schema):
    postgres_schema.empty()
    store = PostgresStore(postgres_schema.dsn, postgres_schema.schema, postgres_schema.clock)
    store.open()
    yield store
    store.close()


@pytest.fixture(params=["sqlite", "postgres"])
def store(request):
    """The same test on both back ends."""
    return request.getfixturevalue(f"{request.param}_store")


@pytest.fixture
def db(store):
    return store.opened[0]


@pytest.fixture
def queue(db):
    return queue_on(db)


@pytest.fixture
def sql(store):
    return store.sql


@pytest.fixture
def pass_time(store):
    return store.pass_time


@pytest.fixture
def fresh_store(store, tmp_path):
    """A place of the same kind that nobody has made tables in yet."""
    if store.kind == "sqlite":
        fresh = SqliteStore(f"sqlite:///{tmp_path}/fresh.db")
        yield fresh
        fresh.close()
        return
    from pytest_taskq.postgres.server import schema_of_its_own

    with schema_of_its_own(store.clock.dsn) as (dsn, name):
        fresh = PostgresStore(dsn, name, store.clock)
        yield fresh
        fresh.close()

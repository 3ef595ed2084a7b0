from __future__ import annotations

import pytest

from pytest_taskq.postgres import server
from pytest_taskq.postgres.server import NoServerError, find_server, schema_of_its_own

psycopg = pytest.importorskip("psycopg")

CLOSED = "postgresql://postgres@127.0.0.1:1/test"


def test_what_is_named_comes_first_and_is_taken_at_its_word(monkeypatch):
    monkeypatch.setenv(server.VARIABLE, "postgresql://of-the-environment/x")
    assert find_server("postgresql://given/x") == "postgresql://given/x"
    assert find_server() == find_server("sqlite:///q.db") == "postgresql://of-the-environment/x"


def test_without_a_server_the_three_ways_to_provide_one_are_named(monkeypatch):
    monkeypatch.delenv(server.VARIABLE, raising=False)
    monkeypatch.setattr(server, "LOCAL", CLOSED)
    with pytest.raises(NoServerError, match=r"--taskq-dsn.*PYTEST_TASKQ_DSN.*5432/test"):
        find_server()


def test_a_schema_is_there_while_it_is_used_and_gone_afterwards(postgres_server):
    def exists(name):
        with psycopg.connect(postgres_server) as connection:
            return connection.execute("SELECT to_regnamespace(%s) IS NOT NULL", (name,)).fetchone()[0]

    with pytest.raises(KeyError), schema_of_its_own(postgres_server) as (dsn, name):  # noqa: PT012 - the block is its life
        with psycopg.connect(dsn) as connection:
            connection.execute("CREATE TABLE t (n int)")
            assert connection.execute("SELECT current_schema()").fetchone() == (name,)
        assert exists(name)
        raise KeyError
    assert not exists(name)


TEST = """
    def test_it(postgres_server):
        pass
"""


@pytest.mark.parametrize(("arguments", "outcome"), [((), "skipped"), (("--taskq-require=postgres",), "errors")])
def test_a_test_that_finds_no_server_is_skipped_or_fails_where_it_is_required(
    pytester, monkeypatch, arguments, outcome
):
    monkeypatch.delenv("PYTEST_TASKQ_REQUIRE", raising=False)
    monkeypatch.delenv(server.VARIABLE, raising=False)
    monkeypatch.setattr(server, "LOCAL", CLOSED)
    pytester.makeconftest("from pytest_taskq.postgres.fixtures import postgres_server  # noqa: F401")
    pytester.makepyfile(TEST)
    result = pytester.runpytest_inprocess(*arguments, "-rsE")
    result.assert_outcomes(**{outcome: 1})
    result.stdout.fnmatch_lines("*--taskq-dsn=*PYTEST_TASKQ_DSN*")


def test_a_back_end_of_no_meaning_is_refused(pytester):
    result = pytester.runpytest_inprocess("--taskq-require=oracle", "--taskq-conformance", "--taskq-adapter=x:Y")
    result.stderr.fnmatch_lines("*--taskq-require*'oracle'*postgres*")

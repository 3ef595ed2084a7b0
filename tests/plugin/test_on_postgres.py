"""A team graded on PostgreSQL: the same verdicts, and nothing left on the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from worker_repo import said

from pytest_taskq.postgres.server import connected

if TYPE_CHECKING:
    from worker_repo import Team

_SCHEMAS = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'taskq\\_%'"


@pytest.mark.parametrize(
    ("adapter", "code", "text"), [("Right", pytest.ExitCode.OK, "MUST 1/1"), ("Wrong", 1, "FAIL * ENQ-10 MUST*")]
)
def test_a_team_is_graded_there(team: Team, postgres_server: str, adapter: str, code: int, text: str) -> None:
    result = team.grade(adapter, "-k", "ENQ-10", f"--taskq-dsn={postgres_server}")
    assert result.ret == code, said(result)
    result.stdout.fnmatch_lines(["taskq: adapter * postgresql 1*", f"*{text}*"], consecutive=False)


@pytest.mark.parametrize(
    ("dsn", "text"),
    [
        ("postgresql://postgres@127.0.0.1:1/none", "the server does not answer"),
        ("mysql://root@127.0.0.1/test", "give sqlite:///path"),
    ],
)
def test_a_server_that_is_not_there_is_a_usage_error_that_names_the_ways(team: Team, dsn: str, text: str) -> None:
    result = team.grade("Right", f"--taskq-dsn={dsn}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR, said(result)
    assert text in said(result)
    assert "postgresql://" in said(result)


def test_the_command_that_reruns_a_failure_names_the_server(team: Team, postgres_server: str) -> None:
    result = team.grade("Wrong", "-k", "ENQ-10 and test_model", f"--taskq-dsn={postgres_server}")
    result.stdout.fnmatch_lines([f"rerun *--taskq-dsn={postgres_server}*"])


def test_workers_of_xdist_have_schemas_of_their_own_and_leave_none(team: Team, postgres_database: str) -> None:
    result = team.grade("Right", "-n", "2", "-k", "ENQ-10 or ENQ-12", f"--taskq-dsn={postgres_database}", apart=True)
    assert result.ret == pytest.ExitCode.OK, said(result)
    with connected(postgres_database) as connection:
        assert connection.execute(_SCHEMAS).fetchall() == [(0,)]

"""What tests on PostgreSQL ask for; imported by the conftest of who has such tests."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def postgres_server(pytestconfig: pytest.Config) -> str:
    """The DSN of a PostgreSQL server; without one the test is skipped, or fails where ``--taskq-require=postgres``."""
    from pytest_taskq.options import Settings
    from pytest_taskq.postgres.server import NoServerError, find_server

    settings = Settings.of(pytestconfig)
    try:
        return find_server(settings.dsn)
    except NoServerError as error:
        if settings.require == "postgres":
            pytest.fail(f"PostgreSQL is required: {error}", pytrace=False)
        pytest.skip(str(error))

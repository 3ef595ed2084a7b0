"""The kit is tested through pytest itself; tests marked ``soak`` run where ``-m`` names them, and nowhere else."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session")
def postgres_server(pytestconfig: pytest.Config) -> str:
    """The DSN of a PostgreSQL server; without one the test is skipped, or fails where PostgreSQL is required."""
    from pytest_taskq.options import Settings
    from pytest_taskq.postgres.server import NoServerError, find_server

    settings = Settings.of(pytestconfig)
    try:
        return find_server(settings.dsn)
    except NoServerError as error:
        if settings.require == "postgres":
            pytest.fail(f"PostgreSQL is required: {error}", pytrace=False)
        pytest.skip(str(error))


# Not `-m "not soak"` in addopts: the `-m` of a command line would take its place, and let them in again.
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "soak" in config.option.markexpr:
        return
    long = [item for item in items if item.get_closest_marker("soak")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in set(long)]

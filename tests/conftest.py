"""The kit is tested through pytest itself; tests marked ``soak`` or ``alone`` run where ``-m`` names them alone."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest

from pytest_taskq.postgres.fixtures import postgres_server  # noqa: F401 - a fixture of all tests here

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session")
def postgres_database(postgres_server: str) -> Iterator[str]:  # noqa: F811 - the fixture that is imported above
    """The DSN of a database that nobody else uses, for what is said of a whole one; dropped at last."""
    from pytest_taskq.postgres.server import connected

    name = f"taskq_{uuid4().hex[:16]}"
    with connected(postgres_server) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield urlunsplit(urlsplit(postgres_server)._replace(path=f"/{name}"))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def pytest_sessionstart() -> None:
    """Collect tests without collecting garbage: they all live until the end, and each look at them takes longer."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Collect garbage again. Not frozen: Hypothesis asks the collector who else holds a source of chance."""
    gc.enable()


def pytest_configure(config: pytest.Config) -> None:
    """The server that the environment names is for these tests, not for the runs of pytest that they make."""
    if sys.dont_write_bytecode:
        share_bytecode(config)
    if config.getoption("dist", "no") != "no" and not hasattr(config, "workerinput"):
        return  # the controller of pytest-xdist, from which its workers have the environment
    for name in ("dsn", "require"):
        given = os.environ.pop(f"PYTEST_TASKQ_{name.upper()}", None)
        if given and getattr(config.option, f"taskq_{name}", None) is None:
            setattr(config.option, f"taskq_{name}", given)


def share_bytecode(config: pytest.Config) -> None:
    """Share bytecode in a folder of this run's where none may lie beside the sources.

    These tests start hundreds of processes and sessions of pytest; each would compile the kit anew, which takes longer
    than most of what they look at.
    """
    folder = TemporaryDirectory(prefix="bytecode-", ignore_cleanup_errors=True)
    config.add_cleanup(folder.cleanup)
    sys.dont_write_bytecode, sys.pycache_prefix = False, folder.name
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = folder.name  # also for the workers of pytest-xdist


# Not `-m "not soak"` in addopts: the `-m` of a command line would take its place, and let them in again.
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    apart = [mark for mark in ("soak", "alone") if mark not in config.option.markexpr]
    left = {item for item in items if any(map(item.get_closest_marker, apart))}
    if left:
        config.hook.pytest_deselected(items=[item for item in items if item in left])
        items[:] = [item for item in items if item not in left]

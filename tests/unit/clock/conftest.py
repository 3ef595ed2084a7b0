from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_taskq.clock import ClockUnavailableError, VirtualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def why_no_vfs() -> str:
    try:
        with VirtualClock(means="vfs"):
            return ""
    except ClockUnavailableError as error:
        return str(error)


WHY_NO_VFS = why_no_vfs()


@pytest.fixture(params=["vfs", "functions"])
def means(request: pytest.FixtureRequest) -> str:
    if request.param == "vfs" and WHY_NO_VFS:
        pytest.skip(WHY_NO_VFS)
    return request.param


@pytest.fixture
def clock(means: str) -> Iterator[VirtualClock]:
    with VirtualClock(means=means) as clock:
        yield clock


@pytest.fixture
def connection(clock: VirtualClock) -> Iterator[sqlite3.Connection]:  # noqa: ARG001 - virtual time comes first
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield connection


@pytest.fixture
def zone() -> Iterator[Callable[[str], None]]:
    """Changes this process' time zone until the test is over."""
    if not hasattr(time, "tzset"):
        pytest.skip("this platform cannot change its time zone")
    patch = pytest.MonkeyPatch()

    def change(name: str) -> None:
        patch.setenv("TZ", name)
        time.tzset()

    yield change
    patch.undo()
    time.tzset()

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from pytest_taskq.clock import VirtualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

START = "2030-12-31 23:59:50"
REAL = {"connect": sqlite3.connect}  # in a dict, as the clock would replace a global of this module


class Counting(sqlite3.Connection):
    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.executed = 0

    def execute(self, *args: object) -> sqlite3.Cursor:  # type: ignore[override]
        self.executed += 1
        return super().execute(*args)  # type: ignore[arg-type]

    def create_function(self, *args: object, **options: object) -> None:  # type: ignore[override]
        raise AssertionError("the factory's own create_function is not ours to call")


@pytest.fixture
def module() -> Iterator[ModuleType]:
    """A team's module that copied names before any clock was installed."""
    module = ModuleType("team_queue")
    sys.modules["team_queue"] = module
    exec("from sqlite3 import connect\nclass Store:\n    open = connect\n", module.__dict__)  # noqa: S102
    yield module
    del sys.modules["team_queue"]


def now(connection: sqlite3.Connection) -> object:
    with closing(connection):
        return connection.execute("SELECT datetime('now')").fetchone()[0]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    "connect",
    [
        lambda: sqlite3.connect(":memory:"),
        lambda: sqlite3.connect(database=":memory:", timeout=1.0, isolation_level="IMMEDIATE", cached_statements=5),
        lambda: sqlite3.connect("file::memory:", uri=True, check_same_thread=False),
        lambda: sqlite3.dbapi2.connect(":memory:"),
        lambda: partial(sqlite3.connect, timeout=2)(":memory:"),
        lambda: sqlite3.connect(":memory:", factory=Counting),
    ],
)
def test_every_way_to_connect_gives_virtual_time(connect: Callable[[], sqlite3.Connection]) -> None:
    assert now(connect()) == START


@pytest.mark.usefixtures("clock")
def test_type_and_options_of_a_connection_are_those_asked_for() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as plain:
        assert type(plain) is sqlite3.Connection
        assert plain.isolation_level is None
    with closing(sqlite3.connect(":memory:", factory=Counting)) as own:
        assert type(own) is Counting
        assert own.executed == 0
    with pytest.raises(TypeError):
        sqlite3.connect(no_such_option=1)  # type: ignore[call-overload]


def test_a_connect_that_was_imported_by_name_gives_virtual_time_and_is_put_back(means: str, module: ModuleType) -> None:
    with VirtualClock(means=means):
        assert now(module.connect(":memory:")) == START
        assert now(module.Store.open(":memory:")) == START
        assert now(module.Store().open(":memory:")) == START
    assert module.connect is REAL["connect"]
    assert module.Store.open is REAL["connect"]


def test_sqlite3_itself_is_as_before_after_the_clock(means: str) -> None:
    names = dict(vars(sqlite3.dbapi2)), dict(vars(sqlite3)), dict(vars(sys.modules["_sqlite3"]))
    with VirtualClock(means=means):
        assert (sqlite3.connect is REAL["connect"]) == (means == "vfs")
    assert (dict(vars(sqlite3.dbapi2)), dict(vars(sqlite3)), dict(vars(sys.modules["_sqlite3"]))) == names
    assert sqlite3.connect is sqlite3.dbapi2.connect is REAL["connect"]


def test_a_connect_kept_from_inside_is_an_ordinary_one_afterwards(means: str) -> None:
    with VirtualClock(means=means):
        kept = sqlite3.connect
    with closing(kept(":memory:")) as connection:
        connection.execute("CREATE TABLE task (id INTEGER PRIMARY KEY, at DEFAULT (datetime('now')))")
        connection.execute("PRAGMA trusted_schema = OFF")  # refuses functions that are not SQLite's own
        connection.execute("INSERT INTO task (id) VALUES (1)")
        assert connection.execute("SELECT at FROM task").fetchone()[0] < START


def test_a_connection_from_before_follows_through_the_vfs_and_is_counted_by_functions(means: str) -> None:
    with closing(sqlite3.connect(":memory:")) as early:
        with VirtualClock(means=means) as clock, closing(sqlite3.connect(":memory:")):
            unseen = clock.unseen_connections()
            seen = early.execute("SELECT datetime('now')").fetchone()[0]
            with closing(sqlite3.Connection(":memory:")):
                one_more = clock.unseen_connections()
        assert (seen == START) == (means == "vfs")
    assert (unseen >= 1, one_more - unseen) == ((False, 0) if means == "vfs" else (True, 1))

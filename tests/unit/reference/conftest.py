from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_taskq.reference_impl import Queue, QueueDatabase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TIMES = ("run_after_utc", "reserved_at_utc", "lease_until_utc", "finished_at_utc")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("template") / "queue.db"
    db = QueueDatabase(path)
    db.initialize_schema()
    db.close()
    return path.read_bytes()


@pytest.fixture
def db(template: bytes, tmp_path: Path) -> Iterator[QueueDatabase]:
    path = tmp_path / "queue.db"
    path.write_bytes(template)
    database = QueueDatabase(path)
    yield database
    database.close()


@pytest.fixture
def queue(db: QueueDatabase) -> Queue:
    return Queue(db)


@pytest.fixture
def sql(db: QueueDatabase) -> Callable[..., list[Any]]:
    def run(statement: str, *parameters: object) -> list[Any]:
        with db.transaction() as connection:
            return connection.execute(statement, parameters).fetchall()

    return run


@pytest.fixture
def pass_time(sql: Callable[..., list[Any]]) -> Callable[[int], None]:
    """Move every stored time into the past: the same as waiting."""

    def wait(seconds: int) -> None:
        for column in TIMES:
            sql(f"UPDATE task_queue SET {column} = datetime({column}, ?)", f"-{seconds} seconds")

    return wait

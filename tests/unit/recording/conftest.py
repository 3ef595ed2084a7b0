"""The adapters of this folder are imported by name, here and in the processes of a crew."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_taskq.recording.crew import Crew, Job
from pytest_taskq.reference_impl import QueueDatabase

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def crew_of() -> Iterator[Callable[[str], Crew]]:
    """Make crews, and end them."""
    crews: list[Crew] = []

    def make(adapter: str) -> Crew:
        crews.append(Crew(adapter))
        return crews[-1]

    yield make
    for crew in crews:
        crew.close()


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., Job]:
    """Make jobs on a fresh database of the test's own."""
    database = QueueDatabase(tmp_path / "queue.db")
    database.initialize_schema()
    database.close()

    def make(do: str, seconds: float = 0.0, **extra: object) -> Job:
        dsn = f"sqlite:///{tmp_path / 'queue.db'}"
        extra = {"complete": True, **extra}
        return Job(do=do, dsn=dsn, seconds=seconds, seed=1, ways=[("claim_task",)], extra=extra)

    return make

"""The pairs that only a long history grades: graded by it in the soak, and told apart here by a short example."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_snippets import adapters_of, graded

from pytest_taskq.reference_impl import QueueDatabaseError


def overtaken(database: Any, other: Callable[[], object]) -> None:
    """Let another come in between: just before the next transaction of ``database``."""
    begin = database.transaction

    def transaction() -> Any:
        del database.transaction
        other()
        return begin()

    database.transaction = transaction


def leases_what_it_returns(adapter: type[Any], dsn: str) -> bool:
    queue = adapter(dsn)
    queue.db.initialize_schema()
    for _ in range(3):
        queue.enqueue("job", {})
    assert queue.claim_task("w1", {}, 60.0) is not None
    leased: int = queue.queue_stats()["leased"]
    queue.close()
    return leased == 1


def stores_when_overtaken(adapter: type[Any], dsn: str) -> bool:
    queue, other = adapter(dsn), adapter(dsn)
    queue.db.initialize_schema()
    ids = []
    overtaken(queue.db, lambda: ids.append(other.enqueue("job", {})))
    try:
        ids.append(queue.enqueue("job", {}))
    except QueueDatabaseError:
        return False
    finally:
        queue.close(), other.close()
    return len(set(ids)) == 2


def opens_when_overtaken(adapter: type[Any], dsn: str) -> bool:
    queue, other = adapter(dsn), adapter(dsn)
    overtaken(queue.db, other.db.initialize_schema)
    try:
        queue.db.initialize_schema()
    except QueueDatabaseError:
        return False
    finally:
        queue.close(), other.close()
    return True


EXAMPLES: dict[str, Callable[[type[Any], str], bool]] = {
    "CLM-03": leases_what_it_returns,
    "ENQ-09": stores_when_overtaken,
    "INF-09": opens_when_overtaken,
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_short_example_tells_what_is_broken_from_what_is_corrected(name: str, tmp_path: Path) -> None:
    broken, corrected = adapters_of(name)
    assert not EXAMPLES[name](broken, f"sqlite:///{tmp_path}/broken.db")
    assert EXAMPLES[name](corrected, f"sqlite:///{tmp_path}/corrected.db")


@pytest.mark.soak
@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_shown_as_broken_is_failed_by_a_history_and_what_is_shown_as_corrected_passes(
    name: str, tmp_path: Path
) -> None:
    graded(name, tmp_path)

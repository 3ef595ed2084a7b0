"""What `taskq explain` shows as broken is failed by that requirement, and what it shows as corrected passes it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from grading import findings

from pytest_taskq.contract import Finding, Instrument, Verdict, combine
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.contract.snippets import illustrated, module_of
from pytest_taskq.grading.suite import shipped_checks
from pytest_taskq.reference_impl import QueueDatabaseError

# The cheap ones first; the later ones judge only where nothing before them fails what is broken.
CHEAP = (Instrument.DIRECT_EXAMPLE, Instrument.QUERY_COST, Instrument.ORACLE, Instrument.MODEL, Instrument.STATISTICS)
DEAR = (Instrument.INTERLEAVINGS, Instrument.CRASH_POINTS, Instrument.HISTORY, Instrument.TIMING)


def adapters_of(name: str) -> tuple[type[Any], type[Any]]:
    shown = import_module(f"pytest_taskq.contract.snippets.{module_of(name)}")
    return shown.Broken, shown.Corrected


def said(found: list[Finding]) -> list[str]:
    return [f"{one.instrument} {one.verdict}: {one.reason}" for one in found]


def judged_by(name: str) -> list[Instrument]:
    """Return the instruments that judge a requirement, cheap ones first."""
    judging = {check.instrument for check in shipped_checks() if check.requirement == name}
    return [one for one in (*CHEAP, *DEAR) if one in judging]


def require_graded(name: str, folder: Path) -> None:
    """Find the first instrument that fails what is broken; it and the cheap ones pass what is corrected."""
    broken, corrected = adapters_of(name)
    survived: list[str] = []
    for failing in judged_by(name):
        found = findings(broken, REQUIREMENTS[name], folder, instrument=failing)
        if combine(found) is Verdict.FAIL:
            break
        survived += said(found)
    else:
        pytest.fail(f"what is broken survives {name}: {survived}")
    for instrument in judged_by(name):
        if instrument in CHEAP or instrument is failing:
            found = findings(corrected, REQUIREMENTS[name], folder, instrument=instrument)
            assert combine(found) is Verdict.PASS, said(found)


# --- what only long histories grade, told by a short example --------------------------------------------------------


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


@pytest.mark.parametrize("name", sorted(illustrated() - set(EXAMPLES)))
def test_what_is_shown_as_broken_is_failed_and_what_is_shown_as_corrected_passes(name: str, tmp_path: Path) -> None:
    require_graded(name, tmp_path)


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
    require_graded(name, tmp_path)

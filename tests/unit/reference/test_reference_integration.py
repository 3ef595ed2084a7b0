from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from pytest_taskq.contract import METHODS
from pytest_taskq.reference_impl import Adapter, QueueDatabase, integration, validate_worker_integration
from pytest_taskq.reference_impl.integration import worker_report


def test_a_worker_that_fits_is_reported_as_such(db, queue, store):
    queue.record_heartbeat("w", {"gpu": True})
    queue.enqueue("t", 1)
    queue.claim_task("w", {}, 60)
    adapter = Adapter(store.dsn)
    for subject in (Adapter, adapter):
        report = worker_report(db, "w", subject)
        assert report.ok, str(report)
    adapter.close()


class Narrow(Adapter):
    def claim_task(self, worker_id):
        raise NotImplementedError

    cancel_task = None


def test_a_worker_that_does_not_fit_is_told_why(db, queue, sql, fresh_store):
    sql("INSERT INTO workers (worker_id, capabilities) VALUES ('w', 'gpu')")
    queue.enqueue("t", 1)
    sql("UPDATE task_queue SET locked_by = 'w'")
    adapter = Narrow(fresh_store.dsn)
    adapter.db.initialize_schema()
    text = str(worker_report(db, "w", adapter))
    adapter.close()
    for part in (
        "claim_task(worker_id) does not take",
        "cancel_task is missing",
        "works on",
        "'gpu'",
        "task 1 (queued)",
    ):
        assert part in text
    assert "has none of 'v'" in str(worker_report(db, "v", Adapter))


def test_every_method_of_the_adapter_is_the_reference_on_the_database_of_its_dsn(store, queue):
    adapter = Adapter(store.dsn)
    assert set(METHODS) <= set(dir(adapter))
    first, second = adapter.enqueue_many([{"type": "t", "payload": n} for n in range(2)])
    with adapter.db.transaction() as connection:
        third = adapter.enqueue_in(connection, "t", 3)
    assert adapter.cancel_task(third)
    task = adapter.claim_by("lifo", "w", {}, 60)
    assert (task.id, adapter.renew_lease(task, "w", 60), adapter.complete_task(task, "w")) == (second, True, True)
    [task] = adapter.claim_many(5, "w", {}, 60)
    assert (task.id, adapter.fail_task(task, "w", "e", retry=False)) == (first, True)
    assert (adapter.reclaim_expired(), adapter.delete_finished(1000)) == (0, 0)
    assert adapter.queue_stats() == queue.queue_stats() == adapter.queue_stats() | {"completed": 1, "failed": 1}
    adapter.close()


class Rushed(Adapter):
    """Claims what is not due."""

    def claim_task(self, worker_id, capabilities, lease_seconds):
        with self.db.transaction() as connection:
            connection.execute("UPDATE task_queue SET run_after_utc = datetime('now') WHERE status = 'queued'")
        return super().claim_task(worker_id, capabilities, lease_seconds)


class Sound(Adapter):
    def queue_stats(self):
        return super().queue_stats()


@pytest.fixture
def graded_by(monkeypatch):
    """Let another process import this module, and grade by one requirement for the time it takes."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))

    def choose(requirement):
        monkeypatch.setattr(integration, "_GRADING", (*integration._GRADING, "-k", requirement))

    return choose


def test_an_adapter_that_is_graded_well_fits(db, graded_by):
    graded_by("OBS-01")
    assert validate_worker_integration(db, "w", Sound) is True


def test_an_adapter_that_breaks_the_contract_does_not_fit_and_the_log_says_why(tmp_path, caplog, graded_by):
    graded_by("ENQ-06")
    with closing(QueueDatabase(tmp_path / "queue.db")) as db:
        db.initialize_schema()
        assert validate_worker_integration(db, "w", Rushed) is False
    assert "ENQ-06 MUST" in caplog.text


def test_a_class_that_no_other_process_can_import_is_refused(tmp_path):
    class Local(Adapter):
        pass

    with closing(QueueDatabase(tmp_path / "queue.db")) as db:
        db.initialize_schema()
        with pytest.raises(ValueError, match="cannot be imported by another process"):
            validate_worker_integration(db, "w", Local)

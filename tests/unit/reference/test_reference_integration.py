from __future__ import annotations

from pytest_taskq.contract import METHODS
from pytest_taskq.reference_impl import Adapter, validate_worker_integration


def test_a_worker_that_fits_is_reported_as_such(db, queue, store):
    queue.record_heartbeat("w", {"gpu": True})
    queue.enqueue("t", 1)
    queue.claim_task("w", {}, 60)
    adapter = Adapter(store.dsn)
    for subject in (Adapter, adapter):
        report = validate_worker_integration(db, "w", subject)
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
    text = str(validate_worker_integration(db, "w", adapter))
    adapter.close()
    for part in (
        "claim_task(worker_id) does not take",
        "cancel_task is missing",
        "works on",
        "'gpu'",
        "task 1 (queued)",
    ):
        assert part in text
    assert "no row 'v'" in str(validate_worker_integration(db, "v", Adapter))


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

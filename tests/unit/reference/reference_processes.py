"""What the spawned processes of test_reference_concurrency run: it must be importable by its file name."""

from __future__ import annotations

from pytest_taskq.reference_impl import open_database, queue_on


def open_and_enqueue(dsn, barrier, answers):
    try:
        barrier.wait(30)
        db = open_database(dsn)
        db.initialize_schema()
        answers.put(queue_on(db).enqueue("t", 1, idempotency_key="same"))
        db.close()
    except BaseException as error:
        answers.put(repr(error))
        raise

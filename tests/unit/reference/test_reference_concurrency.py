from __future__ import annotations

import multiprocessing
import sys
import threading
from pathlib import Path

import pytest

from pytest_taskq.reference_impl import QueueBusyError, queue_on

THREADS, EACH = 8, 20


def together(work):
    """Run ``work(number)`` in several threads at once; return what they returned, or raise what one raised."""
    start = threading.Barrier(THREADS)
    results, errors = [], []

    def run(number):
        try:
            start.wait(10)
            results.append(work(number))
        except BaseException as error:  # noqa: BLE001 - shown by the test below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert errors == []
    return results


def patient(call):
    """A busy database is a lawful answer under load: ask again."""
    for _ in range(20):
        try:
            return call()
        except QueueBusyError:
            continue
    raise AssertionError("busy twenty times in a row")


def test_threads_sharing_a_queue_lose_nothing_and_claim_nothing_twice(queue):
    def one_turn(number, turn):
        patient(lambda: queue.enqueue("t", [number, turn]))
        strategy = ("fifo", "lifo", "priority", "weighted_random")[turn % 4]
        task = patient(lambda: queue.claim_by(strategy, f"w{number}", {}, 600))
        assert patient(lambda: queue.complete_task(task, f"w{number}"))
        return task.id

    def work(number):
        return [one_turn(number, turn) for turn in range(EACH)]

    claimed = [task_id for ids in together(work) for task_id in ids]
    assert len(claimed) == len(set(claimed)) == THREADS * EACH
    assert queue.queue_stats()["completed"] == THREADS * EACH


def test_one_key_raced_for_by_threads_makes_one_task(db):
    ids = together(lambda number: patient(lambda: queue_on(db).enqueue("t", number, idempotency_key="k")))
    assert len(set(ids)) == 1
    assert queue_on(db).queue_stats()["queued"] == 1


@pytest.mark.parametrize("call", ["claim", "cancel", "reclaim"])
def test_of_racing_threads_exactly_one_wins(queue, pass_time, call):
    queue.enqueue("t", 1)
    if call == "reclaim":
        queue.claim_task("w", {}, 1)
        pass_time(3)
    calls = {
        "claim": lambda: queue.claim_task("w", {}, 60) is not None,
        "cancel": lambda: queue.cancel_task(1),
        "reclaim": lambda: queue.reclaim_expired() == 1,
    }
    assert sum(together(lambda _: patient(calls[call]))) == 1


def test_processes_that_open_a_fresh_database_at_once_all_succeed(fresh_store, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import reference_processes

    assert sys.path[0] == str(Path(__file__).parent)
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(4), context.Queue()
    arguments = (fresh_store.dsn, barrier, answers)
    processes = [context.Process(target=reference_processes.open_and_enqueue, args=arguments) for _ in range(4)]
    for process in processes:
        process.start()
    got = [answers.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(60)
        process.close()
    answers.close()
    answers.join_thread()
    assert got == [1, 1, 1, 1]

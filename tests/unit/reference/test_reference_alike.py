"""The same calls, one after another, on both back ends: the same answers. Seeded, so it passes or fails for good.

Time passes in steps of 20 s, and whatever comes due does so 10 s off them: SQLite rounds up to seconds, PostgreSQL does
not, and neither the rounding nor the length of the test may tell them apart.
"""

from __future__ import annotations

import random

import pytest

from pytest_taskq.reference_impl import queue_on

COMPATIBILITIES = [None, None, None, {}, {"gpu": True}, {"gpu": 1}, {"mem": [1, 2.0]}, {"a": {"b": None}}]
CAPABILITIES = [{}, {"gpu": True}, {"gpu": 1.0}, {"mem": [1.0, 2]}, {"a": {"b": None}, "gpu": True, "x": object()}]
ENDS = {
    "complete": lambda queue, task, worker: queue.complete_task(task, worker),
    "fail": lambda queue, task, worker: queue.fail_task(task, worker, "boom"),
    "give up": lambda queue, task, worker: queue.fail_task(task, worker, "over", retry=False),
    "renew": lambda queue, task, worker: queue.renew_lease(task, worker, 110),
    "complete for another": lambda queue, task, _: queue.complete_task(task, "nobody"),
}


class Side:
    """One queue; tasks are named by the order in which their ids were first seen, as the ids themselves differ."""

    def __init__(self, store):
        self.store, self.queue = store, queue_on(store.opened[0])
        self.ids, self.held = [], []

    def enqueue(self, **arguments):
        task_id = self.queue.enqueue(**arguments)
        if task_id not in self.ids:
            self.ids.append(task_id)
        return self.ids.index(task_id)

    def claim(self, strategy, worker, capabilities):
        return self.take(worker, [self.queue.claim_by(strategy, worker, capabilities, 110)])

    def claim_many(self, worker, capabilities):
        return self.take(worker, self.queue.claim_many(3, worker, capabilities, 110))

    def take(self, worker, tasks):
        tasks = [task for task in tasks if task is not None]
        self.held += [(task, worker) for task in tasks]
        return [
            (self.ids.index(task.id), task.payload, task.priority, task.attempts, task.error_message) for task in tasks
        ]

    def end(self, how, which):
        return ENDS[how](self.queue, *self.held[which % len(self.held)]) if self.held else None

    def cancel(self, which):
        return self.queue.cancel_task(self.ids[which % len(self.ids)]) if self.ids else None


def calls(dice, steps):
    """Yield what to do, the same for whoever does it."""
    for step in range(steps):
        worker, capabilities = dice.choice("uvw"), dice.choice(CAPABILITIES)
        arguments = {
            "type": "t",
            "payload": step,
            "priority": dice.randint(-2, 5),
            "max_attempts": dice.randint(1, 3),
            "idempotency_key": dice.choice([None, None, None, f"k{dice.randint(0, 60)}"]),
            "compatibility": dice.choice(COMPATIBILITIES),
            "delay_seconds": dice.choice([0, 0, 0, 50]),
        }
        strategy, how, which = dice.choice(["fifo", "lifo", "priority"]), dice.choice(list(ENDS)), dice.randrange(10**6)
        later = dice.choice([20, 40, 120, 400])
        yield dice.choices(
            [
                lambda side, given=arguments: side.enqueue(**given),
                lambda side, by=(strategy, worker, capabilities): side.claim(*by),
                lambda side, by=(worker, capabilities): side.claim_many(*by),
                lambda side, it=(how, which): side.end(*it),
                lambda side, it=which: side.cancel(it),
                lambda side, seconds=later: side.store.pass_time(seconds),
                lambda side: side.queue.reclaim_expired(),
                lambda side: side.queue.delete_finished(210),
                lambda side: side.queue.queue_stats(),
            ],
            weights=[35, 25, 5, 20, 5, 3, 3, 2, 2],
        )[0]


@pytest.mark.parametrize("seed", range(3))
def test_both_back_ends_answer_alike(sqlite_store, postgres_store, seed):
    postgres_store.clock.stand_still()
    sides = [Side(sqlite_store), Side(postgres_store)]
    for number, call in enumerate(calls(random.Random(seed), 500)):  # noqa: S311 - not a secret
        one, other = (call(side) for side in sides)
        assert one == other, f"call {number}"
    assert sum(sides[0].queue.queue_stats().values()) > 50

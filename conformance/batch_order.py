"""The order of a batch claim: that of single claims, or of one of the promised strategies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq.contract import SchedulingStrategy
from pytest_taskq.instruments.weighted_pools import weight_function

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_taskq.contract import Promises
    from pytest_taskq.subject import Bench, QueueUnderTest

# Neither the oldest four nor the newest are those of the lowest or the highest priority. The weights lie so near to
# each other that a draw by weight all but never takes the same four in six stores: once in 70**5.
PRIORITIES = (97, 93, 99, 95, 100, 94, 98, 96)
BATCH, STORES = 4, 6

Places = tuple[int, ...]


def batches(bench: Bench) -> list[Places]:
    """Return what a batch claim takes from equal stores, as places in the order of submission."""
    return [_first(bench, batch=True) for _ in range(STORES)]


def known_orders(bench: Bench) -> dict[str, Places]:
    """Return the orders that a batch may come in, by name: of the promised strategies, and of single claims."""
    subject = bench.subject
    priorities = PRIORITIES if subject.offers("enqueue.priority") else (100,) * len(PRIORITIES)
    orders = orders_of(subject.promises, priorities, weight_function(subject))
    if subject.offers("claim_task"):
        orders["claim_task"] = _first(bench, batch=False)
    return orders


def orders_of(promises: Promises, priorities: Sequence[int], weight: Callable[[int], float]) -> dict[str, Places]:
    """Return the places in the order of each promised strategy; that of weights is only the likeliest."""
    sign = 1 if promises.priority_order == "ascending" else -1
    keys: dict[SchedulingStrategy, Callable[[int], float]] = {
        SchedulingStrategy.FIFO: lambda place: place,
        SchedulingStrategy.LIFO: lambda place: -place,
        SchedulingStrategy.PRIORITY: lambda place: sign * priorities[place],
        SchedulingStrategy.WEIGHTED_RANDOM: lambda place: -weight(priorities[place]),
    }
    promised = [strategy for strategy in keys if strategy in promises.strategies]
    return {one.value: tuple(sorted(range(len(priorities)), key=keys[one])) for one in promised}


def is_drawn(taken: Sequence[Places]) -> bool:
    """Whether equal stores gave different tasks, so that chance decides and an order says nothing."""
    return len({frozenset(one) for one in taken}) > 1


def fits(taken: Sequence[Places], orders: Mapping[str, Places]) -> str:
    """Return the name of an order in which all batches came; "" if they came in none."""
    return next((name for name, order in orders.items() if all(order[: len(one)] == one for one in taken)), "")


def _first(bench: Bench, *, batch: bool) -> Places:
    with bench.queue() as queue:
        ids = [_put(queue, priority) for priority in PRIORITIES]
        tasks = queue.claim_many(BATCH) if batch else [queue.claim_task() for _ in range(BATCH)]
        return tuple(ids.index(task.id) for task in tasks if task is not None and task.id in ids)


def _put(queue: QueueUnderTest, priority: int) -> object:
    """Submit a task that is certainly younger than the one before."""
    options: dict[str, Any] = {"priority": priority} if queue.subject.offers("enqueue.priority") else {}
    task_id = queue.enqueue(**options)
    queue.advance(2 * queue.promises.time_precision)
    return task_id

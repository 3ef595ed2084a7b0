"""Claims that meet: on the last task, on two tasks, under different strategies, with an over lease."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq.interleaving.events import letter
from pytest_taskq.interleaving.scenario import Scenario
from pytest_taskq.interleaving.scenarios.registry import races
from pytest_taskq.interleaving.scenarios.ways import CLAIMS, LEASE, a_way, own_ways

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.interleaving.aftermath import Aftermath
    from pytest_taskq.interleaving.events import Called
    from pytest_taskq.interleaving.scenario import Player
    from pytest_taskq.subject import QueueUnderTest, Subject

MOST_STATEMENTS = 20


def one_task(queue: QueueUnderTest) -> Any:  # noqa: ANN401 - a TaskId
    """Store one task and return its id."""
    return queue.enqueue()


def claimed(after: Aftermath) -> list[Called]:
    """Return the claims that came back with a task."""
    return [call for call in after.of(*CLAIMS) if call.returned is not None]


def no_task_twice(after: Aftermath) -> None:
    """Require that no task was handed out twice."""
    holders: dict[Any, Called] = {}
    for call in claimed(after):
        first = holders.setdefault(call.returned.id, call)
        after.require(
            first is call,
            f"one claim returns task {call.returned.id!r} while its lease of {LEASE:g} s lasts",
            f"{first}, and {call}",
            call,
        )


@races("CLM-02")
def claims_of_the_last_task(subject: Subject) -> Iterator[Scenario]:
    """Two workers claim the one task there is; then three do."""
    for way in own_ways(subject):
        for workers in (2, 3):
            yield Scenario(
                name=f"{way.word}-of-the-last-task-by-{workers}",
                prepare=one_task,
                scripts=[way.script(f"w{number}") for number in range(1, workers + 1)],
                judge=no_task_twice,
                thorough=workers > 2,  # noqa: PLR2004 - what two cannot show is rare
            )


@races("CLM-02")
def claim_and_reclaim(subject: Subject) -> Iterator[Scenario]:
    """A live lease, a worker that claims, and another that takes back what is over."""
    way = a_way(subject)
    if not subject.offers("reclaim_expired"):
        return
    yield Scenario(
        name="claim-while-reclaim",
        prepare=one_task,
        scripts=[way.script("w1"), reclaim_then(way.script("w2"))],
        judge=no_task_twice,
    )


def reclaim_then(script: Any) -> Any:  # noqa: ANN401 - a script
    """Return the script of a worker that takes back what is over before it goes on."""

    def both(player: Player) -> None:
        player("reclaim_expired")
        script(player)

    return both


@races("CLM-09")
def two_claims_of_two_tasks(subject: Subject) -> Iterator[Scenario]:
    """Two workers and two tasks: each gets one, and none is told that there is nothing."""
    for way in own_ways(subject):
        yield Scenario(
            name=f"two-{way.word}s-of-two-tasks",
            prepare=lambda queue: [queue.enqueue(), queue.enqueue()],
            scripts=[way.script("w1"), way.script("w2")],
            judge=each_is_served,
        )


def each_is_served(after: Aftermath) -> None:
    """Require that nobody is told that there is nothing, and no lock error before the busy timeout."""
    after.require_settled()
    if after.queue.promises.skip_locked:
        return
    for call in after.of(*CLAIMS):
        if call.error is None:
            expected = "a claim returns a task while one is claimable throughout"
            after.require(call.returned is not None, expected, f"{call}, with 2 tasks for 2 workers", call)


@races("CLM-10")
def a_claim_past_tasks_for_others(subject: Subject) -> Iterator[Scenario]:
    """A claim beside another one, with tasks before its own that it cannot do."""
    for way in own_ways(subject):
        yield Scenario(
            name=f"{way.word}-past-tasks-for-others",
            prepare=with_backlog,
            scripts=[way.script("w1"), way.script("w2")],
            judge=short_transactions,
        )


def with_backlog(queue: QueueUnderTest) -> None:
    """Store tasks that nobody here can do, and some that anybody can."""
    able = queue.subject.offers("capabilities") and queue.subject.offers("enqueue.compatibility")
    needs: dict[str, Any] = {"compatibility": {"gpu": True}} if able else {}
    for _ in range(30):
        queue.enqueue(**needs)
    queue.enqueue()
    queue.enqueue()


def short_transactions(after: Aftermath) -> None:
    """Require that a claim neither sleeps inside a transaction nor runs many statements in it."""
    for call in after.of(*CLAIMS):
        inside = [event for event in after.played.events[call.began : call.ended] if event.actor == call.actor]
        slept = next((event for event in inside if event.kind == "sleep" and event.writing), None)
        after.require(slept is None, "a claim does not sleep between its first statement and COMMIT", slept, call)
        writing = [event for event in inside if event.kind == "statement" and event.writing]
        after.require(
            len(writing) <= MOST_STATEMENTS,
            f"a claim runs at most {MOST_STATEMENTS} statements between taking the lock and COMMIT",
            f"{len(writing)} statements with 30 tasks for others before its own",
            call,
        )


@races("CLM-12")
def batches_of_three_tasks(subject: Subject) -> Iterator[Scenario]:
    """Two workers that each claim two of three tasks."""
    if not subject.offers("claim_many"):
        return
    yield Scenario(
        name="two-batches-of-three-tasks",
        prepare=lambda queue: [queue.enqueue() for _ in range(3)],
        scripts=[
            lambda player: player("claim_many", 2, "w1", {}, LEASE),
            lambda player: player("claim_many", 2, "w2", {}, LEASE),
        ],
        judge=batches_are_apart,
    )


def batches_are_apart(after: Aftermath) -> None:
    """Require that no task is in two batches, and that what is leased is what was returned."""
    after.require_settled(early_locks=True)
    batches = {call.actor: [task.id for task in call.returned or ()] for call in after.of("claim_many")}
    handed_out = [task_id for batch in batches.values() for task_id in batch]
    seen = ", ".join(f"worker {letter(actor)} got {batch}" for actor, batch in batches.items())
    after.require(len(handed_out) == len(set(handed_out)), "no task is in two batches", seen, after.calls[0])
    if after.queue.subject.shared_schema:
        leased = {task_id for task_id, row in after.rows().items() if row["status"] == "leased"}
        expected = "the tasks that are leased are those that were returned"
        after.require(leased == set(handed_out), expected, f"{seen}; leased are {sorted(leased)}", after.calls[0])


@races("SCH-06")
def strategies_that_share_the_queue(subject: Subject) -> Iterator[Scenario]:
    """Two workers with different strategies claim the last task; each strategy takes part."""
    ways = [way for way in own_ways(subject, all_strategies=True) if way.strategy is not None]
    for first, second in zip(ways, [*ways[1:], *ways[:1]], strict=True):
        yield Scenario(
            name=f"{first.word}-and-{second.word}",
            prepare=one_task,
            scripts=[first.script("w1"), second.script("w2")],
            judge=one_is_served,
        )


def one_is_served(after: Aftermath) -> None:
    """Require that exactly one worker gets the one task."""
    after.require_settled()
    no_task_twice(after)
    if not after.queue.promises.skip_locked:
        expected = "one of two workers gets the one task"
        after.require(len(claimed(after)) == 1, expected, "; ".join(map(str, after.calls)), *after.calls[:1])

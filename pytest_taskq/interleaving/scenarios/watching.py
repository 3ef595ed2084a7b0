"""Statistics beside writers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_taskq.interleaving.scenario import Scenario
from pytest_taskq.interleaving.scenarios.registry import races
from pytest_taskq.interleaving.scenarios.ways import a_way

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.interleaving.aftermath import Aftermath
    from pytest_taskq.interleaving.scenario import Player
    from pytest_taskq.subject import QueueUnderTest, Subject


def _one_waits_one_is_held(queue: QueueUnderTest) -> Any:  # noqa: ANN401 - a Task
    queue.enqueue()
    task = queue.claim_task("w1")
    queue.precondition(task, "a claim that returns the one task")
    queue.enqueue()
    return task


def _look(player: Player) -> None:
    player("queue_stats")


def _work(subject: Subject) -> Any:  # noqa: ANN401 - a script
    way = a_way(subject)

    def work(player: Player) -> None:
        way.script("w2")(player)
        player("complete_task", player.prepared, "w1")

    return work


@races("OBS-02", "OBS-03")
def statistics_while_tasks_move(subject: Subject) -> Iterator[Scenario]:
    """Tasks are counted while a worker claims one and completes another."""
    yield Scenario(
        name="statistics-while-tasks-move",
        prepare=_one_waits_one_is_held,
        scripts=[_look, _work(subject)],
        judge=one_moment_and_in_nobodys_way,
        needs=["queue_stats", "complete_task"],
    )


# What the counts can be before, between and after the claim and the completion.
_MOMENTS = (
    {"queued": 1, "leased": 1},
    {"leased": 2},
    {"leased": 1, "completed": 1},
)


def one_moment_and_in_nobodys_way(after: Aftermath) -> None:
    """Require counts of one moment, and that no writer was kept waiting by the reader."""
    after.require_settled()
    look = after.of("queue_stats")[0]
    counts = {status: count for status, count in look.returned.items() if count}
    gone = {status: count for status, count in counts.items() if status != "completed"}  # a queue may delete them
    after.require(
        counts in _MOMENTS or (not after.queue.subject.shared_schema and gone in ({"leased": 1}, *_MOMENTS)),
        f"counts of one moment: {' or '.join(map(str, _MOMENTS))}",
        f"{counts}",
        look,
    )
    for event in after.played.events:
        # With two workers a lock that the one finds is the other's, whether it waits for it or asks again.
        found = any(note == "=> blocked by a" or note.startswith("=> SQLITE_BUSY") for note in event.notes)
        waited = event.actor != look.actor and found
        after.require(not waited, "a reader keeps no writer waiting", str(event), look)

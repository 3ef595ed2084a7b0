"""Ends that meet: two completions, a completion and a failure, a completion and a cancellation or a reclaim."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_taskq.interleaving.aftermath import NothingToRaceError
from pytest_taskq.interleaving.scenario import Scenario
from pytest_taskq.interleaving.scenarios.leases import holder, leased, while_it_becomes_over
from pytest_taskq.interleaving.scenarios.registry import races
from pytest_taskq.interleaving.scenarios.ways import CLAIMS, a_way

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_taskq.interleaving.aftermath import Aftermath
    from pytest_taskq.interleaving.events import Called
    from pytest_taskq.subject import Subject

_ENDS = {"complete_task": "completed", "fail_task": "failed", "cancel_task": "cancelled", "reclaim_expired": "queued"}


@races("FIN-07")
def ends_of_a_held_task(subject: Subject) -> Iterator[Scenario]:
    """The holder completes a task while it, or somebody else, ends it in another way."""
    rivals: dict[str, Any] = {"complete": holder("complete_task")}
    if subject.offers("fail_task") and subject.offers("fail_task.retry"):
        rivals["fail"] = holder("fail_task", "boom", retry=False)
    if subject.offers("cancel_task"):
        rivals["cancel"] = lambda player: player("cancel_task", player.prepared.id)
    for word, script in rivals.items():
        yield Scenario(
            name=f"complete-while-{word}",
            prepare=leased,
            scripts=[holder("complete_task"), script],
            judge=one_end,
            needs=["complete_task"],
        )


@races("FIN-07", "MNT-06")
def complete_and_reclaim(subject: Subject) -> Iterator[Scenario]:
    """The holder completes while its lease becomes over and somebody takes back what is over."""
    if subject.offers("reclaim_expired"):
        scripts = [holder("complete_task"), lambda player: player("reclaim_expired")]
        of_over = partial(one_end, is_over=True)
        yield while_it_becomes_over("complete", scripts, one_end, of_over, ["complete_task"])


def one_end(after: Aftermath, *, is_over: bool = False) -> None:
    """Require that exactly one call took effect, that the others were told so, and that the task is as it says.

    ``is_over``: the lease was over from the start.
    """
    expected = "one of two ends takes effect"
    accepted = _at_most_one(after, expected)
    if any(call.error is not None for call in after.calls):
        return
    if not accepted and _all_refused_rightly(after, is_over=is_over):
        return
    if not accepted and after.queue.subject.standalone:
        raise NothingToRaceError(
            "a task is finished by the adapter that claimed it alone, so that nobody can race with it"
        )
    after.require(accepted, expected, _all_calls(after), *_own(after, after.calls))
    ends = [_ENDS[accepted[0].method], *(["failed"] if accepted[0].method == "reclaim_expired" else [])]
    other = next(call for call in after.calls if call is not accepted[0])
    after.require_status(after.prepared.id, *ends, why=f"{accepted[0]} and {other}", by=other)


def _all_refused_rightly(after: Aftermath, *, is_over: bool) -> bool:
    """Whether the holder is refused after the lease was over, and the reclaim came before, or past its lock."""
    refuses = after.queue.promises.late_finish == "refuse"
    return refuses and (is_over or any(event.kind == "time" for event in after.played.events))


def _at_most_one(after: Aftermath, expected: str) -> list[Called]:
    """Return the calls that were accepted, of which there must not be two."""
    after.require_settled(early_locks=True)
    accepted = [call for call in after.calls if call.error is None and call.returned]
    after.require(len(accepted) <= 1, expected, _all_calls(after), *_own(after, accepted))
    return accepted


def _all_calls(after: Aftermath) -> str:
    return "; ".join(map(str, after.calls))


def _own(after: Aftermath, calls: list[Called]) -> list[Called]:
    return sorted(calls, key=lambda call: call.method not in after.queue.subject.own)


@races("ENQ-10")
def cancel_and_claim(subject: Subject) -> Iterator[Scenario]:
    """A task is cancelled while a worker claims it, and while somebody else cancels it."""
    if not subject.offers("cancel_task"):
        return
    rivals = {"cancel-while-claim": a_way(subject).script("w1"), "two-cancels": _cancel}
    for name, rival in rivals.items():
        yield Scenario(name=name, prepare=lambda queue: queue.enqueue(), scripts=[_cancel, rival], judge=one_winner)


def _cancel(player: Any) -> None:  # noqa: ANN401 - a Player
    player("cancel_task", player.prepared)


def one_winner(after: Aftermath) -> None:
    """Require that exactly one cancels or claims the task, and that it is as the winner says."""
    expected = "exactly one cancels or claims the task"
    winners = _at_most_one(after, expected)
    if any(call.error is not None for call in after.calls):
        return
    after.require(winners, expected, _all_calls(after), *_own(after, after.calls))
    status = "leased" if winners[0].method in CLAIMS else "cancelled"
    loser = next(call for call in after.calls if call is not winners[0])
    after.require_status(after.prepared, status, why=_all_calls(after), by=loser)

"""A run as data: its moments in order, and who held which task between which of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.contract.details import HeldLease, Moment, Schedule
from pytest_taskq.interleaving.events import letter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_taskq.interleaving.choices import Token
    from pytest_taskq.interleaving.events import Called, Event, Played

_MOST_MOMENTS = 400
_MOST_NOTES = 8
_LONGEST = 2_000
_CLAIMS = ("claim_task", "claim_by", "claim_many")
_ENDS = {"complete_task": "completed", "fail_task": "given back"}


def schedule_details(token: Token, played: Played, *, workers: int, run: int) -> Schedule:
    """Return a run for the views that draw it; of a long one the last moments, which hold the breach."""
    left_out = max(len(played.events) - _MOST_MOMENTS, 0)
    leases = [one for one in held_leases(played) if one["ended"] is None or one["ended"] > left_out]
    return Schedule(
        scenario=token.scenario,
        token=str(token),
        run=run,
        deviations=sum(node.costs[node.chosen] for node in played.nodes),
        workers=[letter(actor) for actor in range(workers)],
        moments=[*_moments(played.events)][left_out:],
        left_out=left_out,
        leases=[_moved(one, left_out) for one in leases],
    )


def _moments(events: Sequence[Event]) -> Iterator[Moment]:
    number, began = 0, events[0].at if events else 0.0
    for event in events:
        number += event.kind == "statement"
        more = len(event.notes) - _MOST_NOTES
        yield Moment(
            worker=event.actor,
            kind=event.kind,
            text=_cut(event.text),
            notes=[*map(_cut, event.notes[:_MOST_NOTES]), *([f"… {more} rows more"] if more > 0 else [])],
            number=number if event.kind == "statement" else None,
            writing=event.writing,
            at=round(event.at - began, 3),
        )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} … ({len(text)} characters)"


def _moved(lease: HeldLease, by: int) -> HeldLease:
    ended = lease["ended"]
    return {**lease, "began": max(lease["began"] - by, 0), "ended": None if ended is None else ended - by}


def held_leases(played: Played) -> Iterator[HeldLease]:
    """Yield the leases that claims of the run gave, each up to the moment at which it was finished or over.

    Leases from before the run, and what a reclaim does, are not among them: a lease is over before it is reclaimed.
    """
    for number, call in enumerate(played.calls):
        if call.method not in _CLAIMS or call.returned is None:
            continue
        seconds = call.arguments[-1] if call.arguments else None
        if isinstance(seconds, int | float):
            for task in call.returned if isinstance(call.returned, list | tuple) else [call.returned]:
                yield _held(played, call, getattr(task, "id", None), call.until + seconds, played.calls[number + 1 :])


def _held(played: Played, claim: Called, task: object, deadline: float, later: Sequence[Called]) -> HeldLease:
    ended, by = None, ""
    for call in later:
        mine = call.actor == claim.actor and call.arguments and getattr(call.arguments[0], "id", None) == task
        if not mine or call.returned is not True:
            continue
        if call.method == "renew_lease" and call.until < deadline:
            deadline = call.until + call.arguments[-1]
        elif call.method in _ENDS:
            ended, by = call.ended, _ENDS[call.method]
            break
    over = next((place for place, event in enumerate(played.events) if event.at >= deadline), None)
    if over is not None and over >= claim.ended and (ended is None or over < ended):
        ended, by = over, "over"
    return HeldLease(worker=claim.actor, task=repr(task), began=claim.ended, ended=ended, ended_by=by)

"""The end of a process that was making calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_taskq.history.operation import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """``actor`` was dead at ``moment``, monotonic nanoseconds: no stamp of its own is later.

    Another process may go on under its name: what begins after ``moment`` is that one's.
    """

    actor: str
    moment: int


def last_calls(operations: Iterable[Operation], deaths: Iterable[Death]) -> list[Operation | None]:
    """Return for each death the last call that its process began, None if it made none.

    If that call did not return, nobody knows whether it took effect.
    """
    by_actor: dict[str, list[Operation]] = {}
    for one in operations:
        by_actor.setdefault(one.actor, []).append(one)
    before: dict[str, int] = {}
    found = []
    for death in sorted(deaths, key=lambda each: each.moment):
        since = before.get(death.actor)
        mine = [
            one
            for one in by_actor.get(death.actor, ())
            if one.call <= death.moment and (since is None or one.call > since)
        ]
        found.append(max(mine, key=lambda one: one.call, default=None))
        before[death.actor] = death.moment
    return found


def of_the_proof(deaths: Iterable[Death], witness: Sequence[Operation]) -> list[Death]:
    """Return the first death of each process of a proof after its call there, in the order in which they died."""
    found: dict[Death, None] = {}
    ordered = sorted(deaths, key=lambda each: each.moment)
    for one in witness:
        first = next((each for each in ordered if each.actor == one.actor and each.moment >= one.call), None)
        if first is not None:
            found[first] = None
    return sorted(found, key=lambda each: each.moment)

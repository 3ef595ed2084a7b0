"""The shapes of ``Finding.details``: evidence as plain JSON, by kind, named once for who fills it and who draws it.

All keys of one shape are there when the kit wrote it; a view still reads them as it would a stranger's file.
"""

from __future__ import annotations

from typing import TypedDict

NOBODY = -1  # the worker of what no worker did: time that passed


class Violation(TypedDict):
    """``details["violation"]``: what the contract asks for, and what came instead."""

    expected: str
    seen: str


class CallLine(TypedDict):
    """One of ``details["calls"]``: ``kind`` is call, statement, death or note; ``number`` is None for the last two."""

    kind: str
    number: int | None
    text: str
    outcome: str


class Moment(TypedDict):
    """One event of a schedule; ``kind`` is statement, call, return, death, time, sleep or aside.

    ``number`` is the one by which the schedule counts statements, ``at`` the virtual second since the first moment;
    ``notes`` are rows, errors and who blocked it.
    """

    worker: int
    kind: str
    text: str
    notes: list[str]
    number: int | None
    writing: bool
    at: float


class HeldLease(TypedDict):
    """A lease that a worker was given: the places of the moments at which it began and ended, None if it did not.

    ``ended_by`` says how it ended: completed, given back, over.
    """

    worker: int
    task: str
    began: int
    ended: int | None
    ended_by: str


class Schedule(TypedDict):
    """``details["schedule"]``: one run of a few workers, statement by statement; ``left_out`` moments came before."""

    scenario: str
    token: str
    run: int
    deviations: int
    workers: list[str]
    moments: list[Moment]
    left_out: int
    leases: list[HeldLease]


class HistoryCall(TypedDict):
    """One recorded call; stamps are nanoseconds since the first one shown, ``returned`` is None if its caller died.

    ``witness`` is whether it belongs to the proof.
    """

    worker: str
    kind: str
    task: str | None
    called: int
    returned: int | None
    outcome: str
    witness: bool


class HistoryLease(TypedDict):
    """A lease of a task of the proof: certainly held from one stamp to the other, None if to the end."""

    worker: str
    task: str
    began: int
    ended: int | None


class HistoryDeath(TypedDict):
    """A process that was killed: at the stamp ``at`` it was dead, and a later call under its name is another one's.

    ``call`` is the place among the calls shown of the last one that it began, None if that is not shown or there was
    none. If that call did not return, nobody knows whether it took effect.
    """

    worker: str
    at: int
    call: int | None


class History(TypedDict):
    """``details["history"]``: the calls around a proof, of a history of ``total``; all of it is in ``file``.

    ``deaths`` are those among the calls shown, and those of the processes of the proof.
    """

    total: int
    calls: list[HistoryCall]
    leases: list[HistoryLease]
    deaths: list[HistoryDeath]
    file: str

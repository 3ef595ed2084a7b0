"""Which session is recorded for which requirement, and what judges it.

A recording in which too little met is no pass (`Thin`): it is recorded again, longer. What is wrong by another
requirement ends in InconclusiveError: each requirement fails for its own reason alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_taskq.instruments.history_calls import (
    cleans_only_what_is_done,
    counts_of_one_moment,
    enqueued_by_many,
    no_lock_error,
    one_key_one_task,
    survives,
)
from pytest_taskq.instruments.history_claims import (
    back_after_leases,
    in_turn,
    never_wrongly_empty,
    no_two_holders,
    no_two_holders_of_short_leases,
    nothing_lost,
)
from pytest_taskq.instruments.history_load import none_is_starved
from pytest_taskq.instruments.history_opening import opens_at_once, record_sharing, shared_by_threads
from pytest_taskq.recording import load, sessions

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_taskq.recording.stage import Recording, Stage
    from pytest_taskq.subject import Subject


@dataclass(frozen=True, slots=True)
class Session:
    """What is recorded under ``name``, and how one requirement is judged from it: what a PASS rests on, or raises."""

    name: str
    record: Callable[[Stage, int], Recording]
    judge: Callable[[Recording, Subject, str], str]


_TRAFFIC = ("traffic", sessions.traffic)
SESSIONS: dict[str, Session] = {
    "INF-09": Session("opening", sessions.opening, opens_at_once),
    "INF-10": Session("sharing", record_sharing, shared_by_threads),
    "ENQ-05": Session("keys", sessions.keys, one_key_one_task),
    "ENQ-08": Session("deaths", sessions.deaths, survives),
    "ENQ-09": Session(*_TRAFFIC, enqueued_by_many),
    "CLM-02": Session(*_TRAFFIC, no_two_holders),
    "CLM-03": Session(*_TRAFFIC, nothing_lost),
    "CLM-09": Session(*_TRAFFIC, never_wrongly_empty),
    "SCH-01": Session("fifo", sessions.order("fifo"), in_turn),
    "SCH-02": Session("lifo", sessions.order("lifo"), in_turn),
    "SCH-03": Session("priority", sessions.order("priority"), in_turn),
    "OBS-02": Session("counting", sessions.counting, counts_of_one_moment),
    "MNT-02": Session("cleaning", sessions.cleaning, cleans_only_what_is_done),
    "LAT-05": Session("shares", load.fair_shares, none_is_starved),
    "LAT-07": Session(*_TRAFFIC, no_lock_error),
}
LEASED: dict[str, Session] = {
    "CLM-02": Session("leases", sessions.short_leases, no_two_holders_of_short_leases),
    "CLM-03": Session("leases", sessions.short_leases, back_after_leases),
}
LOADED: dict[str, Session] = {
    "LAT-07": Session("load", load.under_load, no_lock_error),
}

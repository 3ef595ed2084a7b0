"""A run as data: what its moments say, and who held which task between which of them."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from pytest_taskq.interleaving.choices import Token
from pytest_taskq.interleaving.events import NOBODY, Called, Event, Played
from pytest_taskq.interleaving.evidence import held_leases, schedule_details
from pytest_taskq.subject import Outcome

TASK: Any = SimpleNamespace(id=1)


def call(actor: int, method: str, *arguments: Any, returned: Any, began: int, ended: int, at: float = 100.0) -> Called:
    outcome = Outcome(method, returned, None)
    return Called(actor, method, arguments, began, outcome, ended, since=at, until=at)


def played(*calls: Called, at: tuple[float, ...] = (100.0,) * 10) -> Played:
    events = [Event(0, "statement", f"SELECT {number}", at=moment) for number, moment in enumerate(at)]
    return Played(events=events, calls=[*calls])


def leases(run: Played) -> list[tuple[int, str, int, int | None, str]]:
    return [(one["worker"], one["task"], one["began"], one["ended"], one["ended_by"]) for one in held_leases(run)]


CLAIM = call(0, "claim_task", "w", {}, 60.0, returned=TASK, began=0, ended=2)


def test_a_lease_runs_from_the_claims_return_to_its_completion() -> None:
    done = call(0, "complete_task", TASK, "w", returned=True, began=3, ended=5)
    assert leases(played(CLAIM, done)) == [(0, "1", 2, 5, "completed")]


def test_a_refused_completion_and_another_workers_end_no_lease() -> None:
    refused = call(0, "complete_task", TASK, "w", returned=False, began=3, ended=5)
    others = call(1, "complete_task", TASK, "v", returned=True, began=3, ended=5)
    assert leases(played(CLAIM, refused, others)) == [(0, "1", 2, None, "")]


def test_a_lease_is_over_with_the_first_moment_at_its_deadline() -> None:
    assert leases(played(CLAIM, at=(100, 100, 100, 159.9, 160, 161))) == [(0, "1", 2, 4, "over")]


def test_a_renewal_before_the_deadline_moves_it() -> None:
    renewed = call(0, "renew_lease", TASK, "w", 120.0, returned=True, began=2, ended=3)
    assert leases(played(CLAIM, renewed, at=(100, 100, 100, 160, 219, 220))) == [(0, "1", 2, 5, "over")]


def test_a_batch_gives_a_lease_for_each_task() -> None:
    batch = call(1, "claim_many", 2, "w", {}, 60.0, returned=[TASK, SimpleNamespace(id="b")], began=0, ended=2)
    assert leases(played(batch)) == [(1, "1", 2, None, ""), (1, "'b'", 2, None, "")]


def test_a_claim_that_found_nothing_gives_none() -> None:
    assert leases(played(call(0, "claim_task", "w", {}, 60.0, returned=None, began=0, ended=2))) == []


def test_statements_keep_the_numbers_of_the_schedule_and_time_begins_at_nought() -> None:
    run = Played(
        events=[
            Event(0, "call", "claim_task()", at=50.0),
            Event(0, "statement", "BEGIN", at=50.0),
            Event(NOBODY, "time", "5 s pass", at=55.0),
            Event(0, "statement", "COMMIT", notes=[f"=> {n}" for n in range(20)], at=55.0),
        ]
    )
    details = schedule_details(Token("CLM-02", "here", ()), run, workers=2, run=1)
    assert [(one["number"], one["at"]) for one in details["moments"]] == [(None, 0), (1, 0), (None, 5), (2, 5)]
    assert details["moments"][3]["notes"][-1] == "… 12 rows more"
    assert json.loads(json.dumps(details)) == details


def test_of_a_long_run_the_last_moments_are_kept_and_leases_move_with_them() -> None:
    run = played(CLAIM, at=(100.0,) * 1000)
    details = schedule_details(Token("CLM-02", "here", ()), run, workers=1, run=1)
    assert (details["left_out"], len(details["moments"])) == (600, 400)
    assert details["moments"][0]["number"] == 601
    assert [(one["began"], one["ended"]) for one in details["leases"]] == [(0, None)]

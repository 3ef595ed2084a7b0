"""Where the parts of a timeline stand."""

from __future__ import annotations

from itertools import pairwise

from report_values import DEATH

from pytest_taskq.reports.html.history_view import Call, history_picture, nearest
from pytest_taskq.reports.html.latency_view import PLOT_BOTTOM, PLOT_TOP, call_figures
from pytest_taskq.reports.html.plain import Plain
from pytest_taskq.reports.html.schedule_view import schedule_picture
from pytest_taskq.reports.html.timeline import Held, bars_of, clashes, lanes_of, rows_of


def held(lane, task, x, end):
    return Held(lane, task, float(x), float(end), open=False)


def moment(worker, kind, text="", *, number=None, notes=(), at=0.0):
    return {"worker": worker, "kind": kind, "text": text, "notes": [*notes], "number": number, "at": at}


SCHEDULE = {
    "scenario": "last-task",
    "run": 3,
    "deviations": 1,
    "workers": ["a", "b"],
    "moments": [
        moment(0, "call", "claim_task('w1', {}, 60.0)"),
        moment(0, "statement", "SELECT 1", number=1, notes=["=> (1,)"]),
        moment(1, "call", "claim_task('w2', {}, 60.0)"),
        moment(1, "statement", "BEGIN IMMEDIATE", number=2, notes=["=> blocked by a"]),
        moment(0, "return", "-> <task 1>"),
        moment(-1, "time", "5 s pass", at=5.0),
        moment(1, "death", "dies before COMMIT", at=5.0),
    ],
    "left_out": 0,
    "leases": [
        {"worker": 0, "task": "1", "began": 4, "ended": None, "ended_by": ""},
        {"worker": 1, "task": "1", "began": 5, "ended": 6, "ended_by": "over"},
    ],
}


def picture(**changes):
    found = schedule_picture(Plain({**SCHEDULE, **changes}))
    assert found is not None
    return found


def test_two_leases_of_one_task_clash_where_both_run() -> None:
    (clash,) = clashes([held(0, "1", 10, 30), held(1, "1", 20, 50), held(1, "2", 0, 90)])
    assert (clash.x, clash.end, clash.task) == (20, 30, "1")


def test_a_lease_that_begins_where_another_ends_does_not_clash() -> None:
    assert clashes([held(0, "1", 10, 30), held(1, "1", 30, 50)]) == []


def test_leases_of_one_lane_that_overlap_stand_in_rows_of_their_own() -> None:
    assert rows_of([held(0, "1", 0, 50), held(0, "2", 10, 20), held(0, "3", 60, 70), held(1, "4", 0, 50)]) == [
        0,
        1,
        0,
        0,
    ]


def test_lanes_do_not_overlap_and_hold_their_leases() -> None:
    leases = [held(0, "1", 0, 50), held(0, "2", 10, 20)]
    rows = rows_of(leases)
    lanes = lanes_of(["a", "b"], 60, leases, rows)
    assert lanes[0].y + lanes[0].height == lanes[1].y
    for bar in bars_of(leases, rows, lanes, 60):
        assert lanes[0].y + 60 <= bar.y < lanes[1].y


def test_moments_stand_in_their_order_and_within_the_picture() -> None:
    steps = picture().steps
    assert all(one.x + one.width <= other.x for one, other in pairwise(steps))
    assert steps[-1].x + steps[-1].width <= picture().width


def test_a_statement_is_named_by_its_verb_and_one_that_was_blocked_is_marked() -> None:
    labels = {step.label: step.trouble for step in picture().steps if step.kind == "statement"}
    assert labels == {"SELECT": False, "BEGIN": True}


def test_a_call_reaches_from_its_beginning_to_its_return_or_to_the_death_in_it() -> None:
    first, second = picture().calls
    steps = picture().steps
    assert (first.x, first.died) == (steps[0].x, False)
    assert first.x + first.width == steps[4].x + steps[4].width
    assert second.died
    assert second.x + second.width == steps[6].x + steps[6].width


def test_a_lease_without_an_end_runs_to_the_edge_and_a_double_one_is_marked() -> None:
    drawn = picture()
    assert drawn.leases[0].held.end > drawn.steps[-1].x + drawn.steps[-1].width
    (clash,) = drawn.clashes
    assert (clash.x, clash.end) == (drawn.steps[5].x, drawn.steps[6].x)


def test_time_that_passes_belongs_to_no_lane() -> None:
    (jump,) = picture().jumps
    assert jump.text == "5 s pass"
    assert picture().moves


def test_what_is_out_of_place_is_left_out_of_the_picture() -> None:
    odd = [{"worker": 9, "task": "1", "began": 0}, {"worker": 0, "task": "1", "began": 99}, {"worker": "x"}, 7]
    assert picture(leases=odd).leases == []
    assert schedule_picture(Plain({"workers": ["a"], "moments": []})) is None
    assert schedule_picture(Plain("nonsense")) is None


def call(number, *, task="t", witness=False):
    return Call(f"w{number % 3}", "claim", task, number * 10, number * 10 + 5, "", witness)


def test_of_many_calls_the_proof_its_tasks_and_the_nearest_are_kept_in_their_order() -> None:
    every = [call(n, task="mine" if n in (3, 500) else f"t{n}", witness=n == 500) for n in range(1_000)]
    kept = nearest(every, 10)
    assert len(kept) == 10
    assert every[3] in kept
    assert every[500] in kept
    assert kept == sorted(kept, key=lambda one: one.called)
    assert {every[499], every[501]} <= set(kept)


def test_two_calls_overlap_in_the_picture_exactly_if_their_stamps_do() -> None:
    calls = [
        {"worker": "w0", "kind": "claim", "task": "t", "called": 0, "returned": 10, "witness": True},
        {"worker": "w1", "kind": "claim", "task": "t", "called": 9, "returned": 1_000_000_000, "witness": True},
        {"worker": "w0", "kind": "complete", "task": "t", "called": 11, "returned": None, "outcome": "died"},
    ]
    leases = [
        {"worker": "w0", "task": "t", "began": 10, "ended": None},
        {"worker": "w1", "task": "t", "began": 1_000_000_000, "ended": None},
    ]
    found = history_picture(Plain({"total": 3, "calls": calls, "leases": leases, "file": "x.jsonl"}))
    assert found is not None
    first, second, third = found.boxes
    assert second.x < first.x + first.width
    assert third.x > first.x + first.width
    assert third.tail is not None
    assert third.tail > second.x + second.width  # nobody knows when it ended
    assert len(found.clashes) == 1


def dying(**changes):
    found = history_picture(Plain({**DEATH, **changes}))
    assert found is not None
    return found


def test_a_death_stands_between_what_was_before_and_what_another_process_did_after_it() -> None:
    found = dying()
    (mark,) = found.marks
    before, inside, after = (box for box in found.boxes if box.lane == mark.lane)
    assert before.x + before.width < inside.x < inside.x + inside.width == mark.x
    assert mark.x + mark.width <= after.x
    assert (before.tail, after.tail) == (None, None)
    assert inside.tail is not None
    assert mark.x + mark.width <= inside.tail <= after.x
    assert [getattr(row, "text", "") for row in found.rows][3] == mark.death.text
    assert mark.place == 3


def test_a_call_without_an_end_is_open_also_where_nobody_noted_the_death() -> None:
    found = dying(deaths=[])
    assert found.marks == []
    assert found.unknown
    (inside,) = (box for box in found.boxes if box.tail is not None)
    assert inside.call.task == "w1-2"


def test_a_death_between_two_calls_ends_no_call() -> None:
    found = dying(deaths=[{"worker": "w1", "at": 2_500_000, "call": 1}])
    assert [mark.death.text for mark in found.marks] == ["w1 was killed between two calls"]


def test_of_many_calls_the_last_one_of_a_process_of_the_proof_is_kept() -> None:
    calls = [
        {
            "worker": f"w{n % 2}",
            "kind": "claim",
            "task": f"t{n}",
            "called": n * 10,
            "returned": n * 10 + 5,
            "witness": n == 3,
        }
        for n in range(200)
    ]
    (mark,) = dying(calls=calls, deaths=[{"worker": "w1", "at": 1_996, "call": 199}]).marks
    assert mark.death.called == 1_996


LATENCY = {
    "name": "claim_by(FIFO)",
    "samples": 1000,
    "p50": [0.001, 0.0009, 0.0011],
    "p95": [0.0021, 0.002, 0.0023],
    "p99": [0.0022, None, None],
    "target": 0.005,
    "quantile": 0.95,
    "exceeded": 3,
    "allowed": 30,
    "floor": {"samples": 1000, "p50": 0.0005, "p95": 0.0007},
    "ratio": [2.0, 1.9, 2.1],
    "histogram": {"edges": [0.0005, 0.001, 0.002, 0.004], "counts": [100, 800, 100], "floor": [900, 90, 10]},
    "verdict": "PASS",
}


def test_a_histogram_stays_in_its_frame_and_marks_stand_in_the_order_of_their_values() -> None:
    found = call_figures(Plain(LATENCY))
    assert [mark.name for mark in found.marks] == ["p50", "p95", "p99", "target"]
    assert [mark.x for mark in found.marks] == sorted(mark.x for mark in found.marks)
    assert min(column.y for column in found.columns) == PLOT_TOP
    assert all(column.y + column.height <= PLOT_BOTTOM + 0.1 for column in found.columns)


def test_names_of_marks_that_are_close_do_not_stand_on_each_other() -> None:
    heights = {mark.name: mark.label_y for mark in call_figures(Plain(LATENCY)).marks}
    assert heights["p95"] != heights["p99"]


def test_what_is_missing_of_a_latency_is_left_out() -> None:
    assert call_figures(Plain({"method": "enqueue"})).name == "enqueue"
    partial = call_figures(Plain({"p95": [0.003, None, None], "target": None, "histogram": {"edges": [1]}}))
    assert not partial.columns
    assert partial.facts == [("p95", "3 ms")]

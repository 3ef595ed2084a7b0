"""The two frames of stored times: what is untouched comes back exactly, and what was written is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_taskq.contract import Task
from pytest_taskq.postgres.frame import GAP, GRAIN, SECOND, Frame, after_call, microseconds, moment_at
from pytest_taskq.postgres.retimed import retimed

SHOWN = microseconds(datetime(2030, 12, 31, 23, 59, 50, tzinfo=UTC))
REAL = microseconds(datetime(2026, 5, 6, 7, 8, 9, 123_456, tzinfo=UTC))
MOMENTS = st.integers(SHOWN - 40 * 365 * 86_400 * SECOND, SHOWN + 40 * 365 * 86_400 * SECOND)
AGES = st.none() | st.floats(0, 1e7)


@given(MOMENTS, st.integers(0, 10**8), AGES)
@example(SHOWN, 0, None)
@example(SHOWN + 1, 0, None)
def test_an_untouched_moment_comes_back_exactly(moment: int, phase: int, older: float | None) -> None:
    frame = Frame.at(SHOWN, REAL + phase, older=older, far=[moment, SHOWN])
    there = frame.for_code(moment)
    assert not frame.is_written(there)
    assert frame.for_kit(there, REAL + phase + 5) == moment


@given(MOMENTS, st.integers(0, 3600 * SECOND))
@example(SHOWN, 0)
@example(SHOWN + 1000, 249_000)
@example(SHOWN + 1000, 40 * SECOND)
def test_a_comparison_with_the_clock_comes_out_as_at_the_virtual_moment(moment: int, elapsed: int) -> None:
    frame = Frame.at(SHOWN, REAL, far=[moment])
    same = (frame.for_code(moment) <= REAL + elapsed) == (moment <= SHOWN)
    assert same or (elapsed > 249_000 and frame.is_crossed(REAL + elapsed + 1))


@given(MOMENTS, st.integers(0, 3600 * SECOND), st.floats(0, 1e7))
@example(SHOWN - 60 * SECOND, 7, 60.0)
@example(SHOWN - 60 * SECOND - 1, 7, 60.0)
def test_so_does_what_is_older_than_an_age(moment: int, elapsed: int, older: float) -> None:
    frame = Frame.at(SHOWN, REAL, older=older, far=[moment])
    age = round(older * SECOND)
    same = (frame.for_code(moment) < REAL + elapsed - age) == (moment < SHOWN - age)
    assert same or (elapsed > 249_000 and frame.is_crossed(REAL + elapsed + 1))


@given(st.integers(0, GRAIN - 2), st.integers(0, GRAIN - 2), st.integers(0, 10_000))
def test_what_was_written_in_a_short_call_is_told_exactly_on_the_grain(one: int, other: int, grains: int) -> None:
    written, ended = sorted((one, other))
    frame = Frame.at(SHOWN, REAL)
    meant = grains * GRAIN
    assert frame.for_kit(REAL + written + meant, REAL + ended) == SHOWN + meant


@given(st.integers(0, 10 * SECOND), st.integers(0, 10 * SECOND), st.integers(0, 10**9))
def test_beside_the_time_of_its_writing_it_is_told_to_the_millisecond_however_long_the_call_was(
    one: int, other: int, meant: int
) -> None:
    written, ended = sorted((one - one % 1000, other))
    frame, meant = Frame.at(SHOWN, REAL), meant - meant % 1000
    row = (REAL + written, REAL + written + meant)
    assert not frame.is_vague(REAL + ended, (REAL + written,))
    if meant > ended:  # the only one of the row that lies in the call
        assert frame.for_kit(row[1], REAL + ended, row) == SHOWN + meant
        assert not frame.is_vague(REAL + ended, row)


def test_a_long_call_that_does_not_say_when_it_wrote_is_vague() -> None:
    frame = Frame.at(SHOWN, REAL)
    later = REAL + 60 * SECOND
    assert frame.is_vague(REAL + GRAIN, [later])
    assert not frame.is_vague(REAL + GRAIN - 1, [later])
    assert not frame.is_vague(REAL + GRAIN, [later + 5, REAL + 5])
    assert frame.is_vague(REAL + GRAIN, [later + 7, REAL + 5])  # two clocks
    frame = Frame.at(SHOWN, REAL, far=[SHOWN + 60 * SECOND])
    assert not frame.is_vague(REAL + GRAIN, [frame.for_code(SHOWN), *frame.far])


def test_what_is_not_round_is_late_by_less_than_the_call_and_never_early() -> None:
    meant, lasted = 934_567, 3_000
    for written in range(0, lasted, 500):
        assert meant <= after_call(meant + written - lasted, meant + written) < meant + lasted


def test_virtual_whole_seconds_are_never_real_ones() -> None:
    for phase in range(0, SECOND, 1000):
        assert Frame.at(SHOWN, REAL - REAL % SECOND + phase).for_code(SHOWN - 7 * SECOND) % SECOND


def test_another_clock_in_the_row_does_not_mislead() -> None:
    """Python's is asked a little after the transaction has begun, and knows no microseconds."""
    frame = Frame.at(SHOWN, REAL)
    began, asked = REAL + 711, REAL + 3_544
    row = (began, asked + 600 * SECOND)
    assert asked % 1000 == 0
    assert frame.for_kit(row[1], REAL + 9_000, row) == SHOWN + 600 * SECOND


def test_whole_milliseconds_of_the_codes_own_are_no_image_of_a_later_moment() -> None:
    frame = Frame.at(SHOWN, REAL)
    assert all(frame.for_code(SHOWN + ahead * 1000) % 1000 for ahead in range(1, 5000))
    assert GAP % 1000


# --- tasks ------------------------------------------------------------------------------------------------------------


class OwnTask:
    def __init__(self) -> None:
        self.id, self.type, self.payload, self.handle = 1, "job", "{}", object()
        self.lease_until_utc = datetime(2026, 5, 6, 7, 8, 9, 5, tzinfo=UTC)

    def get_payload_dict(self) -> dict[str, object]:
        return {}


def later(moment: int) -> int:
    return moment + SECOND


def test_a_task_keeps_all_but_its_times() -> None:
    own = Task(
        id=1, type="job", payload="{}", attempts=3, handle="h", run_after_utc="2026-05-06 07:08:09.5", locked_by="w1"
    )
    seen = retimed([own], later)[0]
    assert (seen.run_after_utc, seen.attempts, seen.handle, seen.locked_by) == (
        "2026-05-06 07:08:10.500000",
        3,
        "h",
        "w1",
    )
    assert own.run_after_utc == "2026-05-06 07:08:09.5"


def test_so_does_one_of_the_teams_own_class() -> None:
    own = OwnTask()
    seen = retimed(own, later)
    assert seen.lease_until_utc - own.lease_until_utc == timedelta(seconds=1)
    assert seen.handle is own.handle


@pytest.mark.parametrize("value", [None, 7, "2026-05-06 07:08:09.5", {"queued": 1}, [1, 2]])
def test_anything_else_stays_as_it_is(value: object) -> None:
    assert retimed(value, later) == value


@pytest.mark.parametrize("text", ["soon", "", "infinity", "9999-12-31 23:59:59.5"])
def test_what_is_no_time_stays_too(text: str) -> None:
    assert retimed(Task(id=1, type="job", payload="{}", run_after_utc=text), later).run_after_utc == text


def test_a_time_without_a_fraction_says_nothing_in_another_frame() -> None:
    task = Task(id=1, type="job", payload="{}", run_after_utc="2026-05-06 07:08:09")
    assert retimed(task, later, cut=True).run_after_utc is None
    assert moment_at(microseconds(datetime.fromisoformat("2026-05-06"))) == datetime(2026, 5, 6, tzinfo=UTC)

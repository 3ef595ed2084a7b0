"""A promise that could not be graded is refused where it is written."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_taskq.contract import Backoff, Promises, SchedulingStrategy, inverse_priority


def test_the_defaults_are_those_of_the_guide() -> None:
    promises = Promises()
    assert promises.time_precision == 1.0
    assert promises.busy_timeout == 5.0
    assert promises.deletes == ("completed",)
    assert promises.strategies == frozenset(SchedulingStrategy)
    assert promises.backoff == Backoff(initial=1.0, multiplier=2.0, maximum=300.0, jitter=0.1)
    assert promises.not_offered == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fifo_key", "created"),
        ("retried", "to_front"),
        ("priority_order", "up"),
        ("lease_over", "retry"),
        ("late_finish", "maybe"),
        ("key_scope", "a day"),
        ("durability", "best"),
        ("time_precision", 0),
        ("time_precision", -1.0),
        ("time_precision", 61.0),
        ("time_precision", nan),
        ("time_precision", inf),
        ("busy_timeout", -0.1),
        ("busy_timeout", nan),
        ("busy_timeout", inf),
    ],
)
def test_a_promise_outside_its_range_is_refused_with_its_name_and_value(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"Promises\.{name} must .*got {value!r}"):
        Promises(**{name: value})


@pytest.mark.parametrize("status", ["queued", "leased", "done"])
def test_only_final_states_may_be_deleted(status: str) -> None:
    with pytest.raises(ValueError, match=f"completed, failed and cancelled, got \\['{status}'\\]"):
        Promises(deletes=("completed", status))


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("cancel", "cancel_task"),
        ("enqueue.delay", "enqueue.delay_seconds"),
        ("lease", "leases"),
        ("fail_task.errors", "fail_task.error"),
    ],
)
def test_a_name_that_would_leave_out_nothing_is_refused_with_the_nearest_one(name: str, near: str) -> None:
    with pytest.raises(ValueError, match=rf"not_offered names '{name}'.*the nearest name is '{near}'"):
        Promises(not_offered={name: "no need"})


@pytest.mark.parametrize("reason", ["", "  ", None, True])
def test_what_is_not_offered_has_a_reason(reason: Any) -> None:
    with pytest.raises(ValueError, match=rf"not_offered\['cancel_task'\] must be a text.*got {reason!r}"):
        Promises(not_offered={"cancel_task": reason})


def test_promises_cannot_be_changed_after_the_run_has_begun() -> None:
    with pytest.raises(FrozenInstanceError):
        Promises().durability = "power"  # type: ignore[misc]


def test_the_default_weight_falls_with_the_number_and_is_never_zero() -> None:
    assert inverse_priority(0) == 1.0
    assert inverse_priority(1) == 0.5
    assert inverse_priority(10**9) > 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("initial", -1.0),
        ("initial", nan),
        ("multiplier", 0.5),
        ("multiplier", inf),
        ("maximum", -1.0),
        ("maximum", inf),
        ("jitter", -0.1),
        ("jitter", 1.1),
        ("jitter", nan),
    ],
)
def test_a_backoff_without_meaning_is_refused_with_its_name_and_value(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"Backoff\.{name} must .*got {value!r}"):
        Backoff(**{name: value})


@pytest.mark.parametrize(("attempt", "longest"), [(1, 1.0), (2, 2.0), (3, 4.0), (9, 256.0), (10, 300.0), (11, 300.0)])
def test_the_delay_doubles_from_the_first_attempt_up_to_the_maximum(attempt: int, longest: float) -> None:
    assert Backoff().window(attempt) == (pytest.approx(longest * 0.9), longest)


@pytest.mark.parametrize("attempt", [1000, 1100, 10**6])
def test_a_high_attempt_waits_the_maximum_and_does_not_overflow(attempt: int) -> None:
    assert Backoff().window(attempt) == (pytest.approx(270.0), 300.0)


def test_the_maximum_also_limits_the_first_delay() -> None:
    assert Backoff(initial=10.0, maximum=3.0, jitter=0.0).window(1) == (3.0, 3.0)


def test_an_initial_delay_of_zero_stays_zero_at_any_attempt() -> None:
    assert Backoff(initial=0.0).window(2000) == (0.0, 0.0)


@given(
    st.builds(
        Backoff,
        initial=st.floats(0, 1e9),
        multiplier=st.floats(1, 1e9),
        maximum=st.floats(0, 1e9),
        jitter=st.floats(0, 1),
    ),
    st.integers(1, 10_000),
)
def test_the_window_is_ordered_within_the_limits_and_never_shrinks(backoff: Backoff, attempt: int) -> None:
    shortest, longest = backoff.window(attempt)
    assert 0 <= shortest <= longest <= backoff.maximum
    assert longest <= backoff.longest(attempt + 1)

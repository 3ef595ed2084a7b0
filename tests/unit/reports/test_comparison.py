"""What a change made of a report: what fails, what is no longer graded, what is mended."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from stored import plain_report

from pytest_taskq.contract import Verdict
from pytest_taskq.reports.comparison import Change, Comparison, compare
from pytest_taskq.reports.stored_report import parse_report

VERDICTS = ("PASS", "FAIL", "INCONCLUSIVE", "NOT RUN", "NOT OFFERED", "KNOWN")


def compared(base: dict[str, Any], head: dict[str, Any]) -> Comparison:
    return compare(parse_report(base), parse_report(head))


def step(before: str | None, after: str | None) -> Comparison:
    """The comparison of two reports with one requirement; None leaves it out."""
    base, head = ({"CLM-02": one} if one else {} for one in (before, after))
    return compared(plain_report(base), plain_report(head))


def changes(before: str | None, after: str | None) -> list[Change]:
    return [one.change for one in step(before, after).changes]


@pytest.mark.parametrize("verdict", VERDICTS)
def test_the_same_report_twice_has_no_change_and_is_not_worse(verdict: str) -> None:
    same = step(verdict, verdict)
    assert not same.worse
    assert same.changes == ()
    assert same.still == (() if verdict == "PASS" else (("CLM-02", Verdict(verdict)),))


@pytest.mark.parametrize("before", ["PASS", "KNOWN", "NOT RUN", "INCONCLUSIVE", "NOT OFFERED", None])
def test_what_did_not_fail_and_fails_now_is_worse(before: str | None) -> None:
    assert changes(before, "FAIL") == [Change.FAILS]
    assert step(before, "FAIL").worse


@pytest.mark.parametrize(
    ("before", "after"), [*product(["PASS", "FAIL", "KNOWN"], ["NOT RUN", "INCONCLUSIVE", "NOT OFFERED", None])]
)
def test_what_was_graded_and_is_not_is_as_loud_as_a_failure(before: str, after: str | None) -> None:
    assert changes(before, after) == [Change.NOT_GRADED]
    assert step(before, after).worse


@pytest.mark.parametrize("before", ["INCONCLUSIVE", "NOT OFFERED", None])
def test_a_verdict_that_fails_the_run_is_worse_than_one_that_does_not(before: str | None) -> None:
    assert changes(before, "NOT RUN") == [Change.NOT_GRADED]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "INCONCLUSIVE"),
        (None, "NOT OFFERED"),
        ("NOT RUN", "INCONCLUSIVE"),
        ("NOT OFFERED", "INCONCLUSIVE"),
        ("INCONCLUSIVE", None),
    ],
)
def test_what_was_not_graded_and_is_not_is_no_change(before: str | None, after: str | None) -> None:
    assert changes(before, after) == []


@pytest.mark.parametrize("before", ["FAIL", "KNOWN", "NOT RUN"])
def test_what_failed_and_passes_is_fixed(before: str) -> None:
    assert changes(before, "PASS") == [Change.FIXED]
    assert not step(before, "PASS").worse


@pytest.mark.parametrize("before", ["INCONCLUSIVE", "NOT OFFERED", None])
def test_what_was_not_graded_and_passes_is_newly_graded(before: str | None) -> None:
    assert changes(before, "PASS") == [Change.GRADED]


def test_what_was_put_on_the_list_of_known_failures_is_said_and_is_the_teams_decision() -> None:
    assert changes("PASS", "KNOWN") == [Change.KNOWN]
    assert not step("PASS", "KNOWN").worse


def test_what_is_gone_says_where_it_went() -> None:
    head = plain_report({}, not_selected=["CLM-02"])
    (gone,) = compared(plain_report({"CLM-02": "PASS"}), head).changes
    assert (gone.before, gone.after) == ("PASS", "not selected")
    (gone,) = step("PASS", None).changes
    assert gone.after == "not in the report"


def test_the_worst_comes_first_and_a_must_before_a_should() -> None:
    base = plain_report({"LSE-05": "PASS", "CLM-02": "PASS", "ENQ-05": "FAIL", "ENQ-10": "PASS"})
    head = plain_report({"LSE-05": "FAIL", "CLM-02": "FAIL", "ENQ-05": "PASS", "ENQ-10": "INCONCLUSIVE"})
    assert [one.id for one in compared(base, head).changes] == ["CLM-02", "LSE-05", "ENQ-10", "ENQ-05"]


def test_conditions_that_differ_are_said() -> None:
    base, head = plain_report({}), plain_report({}, contract="1.1", effort="smoke", adapter="team:Other")
    assert {(one.what, one.after) for one in compared(base, head).differences} == {
        ("contract", "1.1"),
        ("effort", "smoke"),
        ("adapter", "team:Other"),
    }

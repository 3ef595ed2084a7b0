"""One rule makes the verdict of a requirement from what its instruments found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_taskq.contract import Finding, Instrument, Verdict, combine

FAIL, NOT_RUN, INCONCLUSIVE, PASS = Verdict.FAIL, Verdict.NOT_RUN, Verdict.INCONCLUSIVE, Verdict.PASS
NOT_OFFERED, UNSUPPORTED = Verdict.NOT_OFFERED, Verdict.UNSUPPORTED

FOUND = (FAIL, NOT_RUN, INCONCLUSIVE, PASS, NOT_OFFERED, UNSUPPORTED)
some_verdicts = st.lists(st.sampled_from(FOUND), max_size=6)


def verdict_of(*verdicts: Verdict) -> Verdict:
    return combine(Finding(requirement="CLM-02", instrument=Instrument.MODEL, verdict=verdict) for verdict in verdicts)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ([], NOT_RUN),
        ([PASS], PASS),
        ([FAIL], FAIL),
        ([INCONCLUSIVE], INCONCLUSIVE),
        ([NOT_RUN], NOT_RUN),
        ([NOT_OFFERED], NOT_OFFERED),
        ([UNSUPPORTED], NOT_RUN),
        ([UNSUPPORTED, UNSUPPORTED], NOT_RUN),
        ([PASS, PASS], PASS),
        ([PASS, FAIL], FAIL),
        ([NOT_RUN, FAIL], FAIL),
        ([INCONCLUSIVE, FAIL], FAIL),
        ([UNSUPPORTED, FAIL], FAIL),
        ([PASS, NOT_RUN], NOT_RUN),
        ([INCONCLUSIVE, NOT_RUN], NOT_RUN),
        ([PASS, INCONCLUSIVE], INCONCLUSIVE),
        ([UNSUPPORTED, PASS], PASS),
        ([UNSUPPORTED, INCONCLUSIVE], INCONCLUSIVE),
        ([UNSUPPORTED, NOT_OFFERED], NOT_OFFERED),
        ([NOT_OFFERED, PASS], PASS),
        ([NOT_OFFERED, INCONCLUSIVE], INCONCLUSIVE),
        ([PASS, INCONCLUSIVE, NOT_RUN, UNSUPPORTED, FAIL], FAIL),
    ],
)
def test_the_worst_finding_decides(found: list[Verdict], verdict: Verdict) -> None:
    assert verdict_of(*found) is verdict


@given(some_verdicts)
def test_a_single_failure_beats_everything_else(found: list[Verdict]) -> None:
    assert verdict_of(*found, FAIL) is FAIL


@given(some_verdicts, st.randoms(use_true_random=False))
def test_the_order_of_the_findings_does_not_matter(found: list[Verdict], random: object) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert verdict_of(*shuffled) is verdict_of(*found)


@given(some_verdicts)
def test_an_unsupported_instrument_changes_nothing(found: list[Verdict]) -> None:
    assert verdict_of(*found, UNSUPPORTED) is verdict_of(*found)


@given(some_verdicts)
def test_nothing_passes_unless_some_instrument_passed(found: list[Verdict]) -> None:
    if PASS not in found:
        assert verdict_of(*found) is not PASS


@pytest.mark.parametrize("ignored", [Verdict.KNOWN, Verdict.NOT_SELECTED])
def test_what_is_decided_about_a_requirement_as_a_whole_is_no_finding(ignored: Verdict) -> None:
    assert verdict_of(ignored) is NOT_RUN
    assert verdict_of(ignored, PASS) is PASS

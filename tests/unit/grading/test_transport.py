import json

from pytest_taskq.contract import Finding, Instrument, Verdict
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.grading.transport import as_plain, from_plain
from pytest_taskq.reports.run_report import Judged


def judged(details):
    finding = Finding.of(REQUIREMENTS["CLM-02"], Instrument.TIMING, Verdict.FAIL, reason="slow", details=details)
    return Judged(finding=finding, check="test_x::test_y")


def test_details_come_back_as_they_were_sent() -> None:
    details = {"latency": {"calls": [{"name": "claim_task", "p95": [0.001, None]}]}}
    assert dict(from_plain(as_plain(judged(details))).finding.details) == details


def test_what_travels_is_texts_and_one_number() -> None:
    assert {type(value) for value in as_plain(judged({"law": {"log10_e": 1.0}})).values()} == {str, float}


def test_a_lone_surrogate_in_details_can_be_written_after_the_journey() -> None:
    back = from_plain(as_plain(judged({"calls": ["payload \udc80"]})))
    json.dumps(dict(back.finding.details), ensure_ascii=False).encode("utf-8")

"""What a run writes beside its verdicts: by which suite, of which code, and what was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.certificate.sources import suite_sources
from pytest_taskq.cli import main

if TYPE_CHECKING:
    import pytest
    from worker_repo import Team


def test_a_report_says_what_it_rests_on_and_verifies(team: Team, capsys: pytest.CaptureFixture[str]) -> None:
    known = team.pytester.path / "known.toml"
    known.write_text('["ENQ-10"]\nreason = "slow to mend"\nuntil = 2999-01-01\n', encoding="utf-8")
    options = ("-k", "ENQ-10", "--taskq-strict", "--taskq-min-graded=1", f"--taskq-known-failures={known}", "-x")
    report = team.report("Wrong", *options)
    certificate = report["certificate"]
    assert certificate["suite"]["sha256"] == suite_sources().digest
    assert [*certificate["adapter"]["files"]] == ["team.py"]
    overridden = certificate["overridden"]
    assert overridden["-k"] == "ENQ-10"
    assert (overridden["--maxfail"], overridden["--taskq-strict"], overridden["--taskq-min-graded"]) == (1, True, 1)
    assert certificate["known_failures"] == [
        {"requirement": "ENQ-10", "reason": "slow to mend", "issue": "", "until": "2999-01-01"}
    ]
    assert certificate["versions"]["pytest"]
    assert certificate["seconds"] > 0
    capsys.readouterr()
    assert main(["verify", "out"]) == 0, capsys.readouterr().out

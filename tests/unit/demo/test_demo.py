"""The demonstration is no film: what it shows is what the kit finds while one looks."""

import subprocess
import sys

import pytest

from pytest_taskq.cli import main
from pytest_taskq.contract import Verdict
from pytest_taskq.demo import race, scenes


@pytest.fixture(scope="module")
def played():
    return list(scenes.scenes())


def said(played, title):
    [scene] = [one for one in played if title in one.title]
    return "\n".join(scene.said)


def test_each_of_the_six_patterns_is_shown_with_its_code_and_what_came_of_it(played):
    assert all(one.code and one.said for one in played[:6])
    assert "order 17 is task 1, and sent once more it is task 1" in said(played, "Client")
    assert "press-2 completes it: False\npress-1 completes it: True" in said(played, "Engine")
    assert "PRIORITY         serves the priorities [10, 50, 90]" in said(played, "Scheduling")
    assert "'completed': 1" in said(played, "Observability")
    assert "queued again: 12" in said(played, "Maintenance")
    assert "deleted: 1" in said(played, "Maintenance")


def test_the_race_is_caught_shown_mended_and_its_schedule_runs_clean(played):
    assert said(played, "CLM-02: No claim").startswith("FAIL")
    assert "worker a" in said(played, "The schedule that proves it")
    assert "keeps the requirement now" in said(played, "The same schedule again")
    assert said(played, "And all the others").startswith("PASS: claim-of-the-last-task-by-2: all schedules")


def test_a_claim_that_is_not_mended_is_not_shown_as_such(monkeypatch, capsys):
    monkeypatch.setattr(scenes, "Mended", race.Racy)
    assert main(["demo"]) == 1
    assert "did not come out as it should" in capsys.readouterr().out


def test_the_schedule_of_the_racy_claim_fails_again_by_its_token():
    found = race.judged(race.Racy)
    assert race.judged(race.Racy, found.replay.partition("=")[2]).verdict is Verdict.FAIL


def test_the_module_of_the_reference_is_the_same_command_and_pipes_get_plain_text():
    command = [sys.executable, "-m", "pytest_taskq.reference_impl.demo", "--step"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "\x1b" not in ran.stdout
    assert "PASS: claim-of-the-last-task-by-2" in ran.stdout

"""Timing in a session: alone, beside other tests, switched off, strict, watched, and handed to pytest-benchmark."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from worker_repo import said

if TYPE_CHECKING:
    from worker_repo import Team

SLOW = """
import time
from pytest_taskq import QueueAdapter


class Fast(QueueAdapter):
    def queue_stats(self):
        return {"queued": 1}


class Slower(QueueAdapter):
    def queue_stats(self):
        time.sleep(0.005)
        return {"queued": 1}


class TooSlow(QueueAdapter):
    def queue_stats(self):
        time.sleep(0.1)
        return {"queued": 1}
"""
TIMED = ("-m", "taskq", "-k", "timing and LAT-04")


@pytest.fixture
def slow(team: Team, monkeypatch: pytest.MonkeyPatch) -> Team:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # pytest-benchmark goes by it, wherever it comes from
    team.pytester.makepyfile(slow=SLOW)
    return team


def timing_of(team: Team, adapter: str, *options: str) -> dict[str, object]:
    [found] = team.report(adapter, *TIMED, *options)["requirements"]
    return found


def test_a_fast_call_passes_with_its_figures(slow: Team) -> None:
    found = timing_of(slow, "slow:Fast")
    [call] = found["findings"][0]["details"]["latency"]["calls"]
    assert (found["verdict"], call["verdict"], call["method"]) == ("PASS", "PASS", "queue_stats")
    assert call["samples"] >= 500
    assert "target p95 < 50 ms" in found["explored"]


def test_a_slow_call_fails_the_run_and_says_by_how_much(slow: Team) -> None:
    result = slow.grade("slow:TooSlow", *TIMED)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    # All 16 of the first look, or, where the machine has other work, nearly all of a later one.
    assert re.search(r"\d+ of \d+ calls of queue_stats took 50 ms or longer", said(result))


@pytest.mark.parametrize("dist", [(), ("--dist", "loadgroup")])
def test_beside_other_tests_nothing_is_timed_and_the_command_that_does_is_named(
    slow: Team, dist: tuple[str, ...]
) -> None:
    result = slow.grade("slow:TooSlow", *TIMED, "-n1", *dist, apart=True)
    assert result.ret == pytest.ExitCode.OK
    named = re.search(r"this times it: (pytest .*)", said(result))
    assert named is not None
    command = named.group(1).split()[1:]
    assert command[: command.index("-n0") + 1] == ["--taskq-conformance", "-m", "taskq", "-k", "timing", "-n0"]
    command[command.index("timing")] = "timing and LAT-04"  # which is enough to see that it times
    assert slow.pytest("-n1", *dist, *command, apart=True).ret == pytest.ExitCode.TESTS_FAILED


def test_one_reason_is_said_once(team: Team) -> None:
    options = ("-m", "taskq", "-k", "timing", "-n1")
    result = team.grade("pytest_taskq.reference_impl:Adapter", *options, apart=True)
    assert said(result).count("this times it: ") == 1
    assert re.search(r"INCONCLUSIVE LAT-06 SHOULD as LAT-01", said(result))


def test_strict_does_not_accept_that_nothing_was_timed(slow: Team) -> None:
    result = slow.grade("slow:Fast", *TIMED, "-n1", "--taskq-latency=strict", apart=True)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "LAT-04 INCONCLUSIVE, which --taskq-latency=strict does not accept" in said(result)


def test_switched_off_it_is_not_selected_and_said_so(slow: Team) -> None:
    result = slow.grade("slow:TooSlow", "-m", "taskq", "-k", "LAT-04 or OBS-01", "--taskq-latency=off")
    assert "no call was timed: --taskq-latency=off" in said(result)
    assert not re.search(r"LAT-04", said(result).replace("-k LAT-04", ""))
    assert "not selected" in said(result)


def test_on_shows_the_figures_of_what_passes(slow: Team) -> None:
    assert re.search(r"LAT-04 +queue_stats +\d+ .* PASS", said(slow.grade("slow:Fast", *TIMED, "--taskq-latency=on")))


class TestBenchmarks:
    def test_runs_are_saved_compared_and_failed_when_they_got_slower(self, slow: Team) -> None:
        saved = slow.grade("slow:Fast", *TIMED, "--benchmark-autosave", apart=True)
        assert saved.ret == pytest.ExitCode.OK
        assert list(slow.pytester.path.glob(".benchmarks/*/0001_*.json"))
        compared = slow.grade("slow:Slower", *TIMED, "--benchmark-compare", apart=True)
        assert compared.ret == pytest.ExitCode.OK
        assert "LAT-04 queue_stats (NOW)" in said(compared)
        options = ("--benchmark-compare", "--benchmark-compare-fail=median:100%")
        failed = slow.grade("slow:Slower", *TIMED, *options, apart=True)
        assert failed.ret != pytest.ExitCode.OK
        assert "Performance has regressed" in said(failed)

    @pytest.mark.parametrize("how", [("--benchmark-disable",), ("-p", "no:benchmark")])
    def test_without_it_calls_are_timed_all_the_same(self, slow: Team, how: tuple[str, ...]) -> None:
        result = slow.grade("slow:Fast", *TIMED, *how, "--taskq-latency=on", apart=True)
        assert result.ret == pytest.ExitCode.OK
        assert re.search(r"LAT-04 +queue_stats +\d+ .* PASS", said(result))

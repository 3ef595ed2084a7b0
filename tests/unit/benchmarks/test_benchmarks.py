from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from serving import serve_each_task_once

from benchmarks import __main__ as command
from benchmarks import bars, batches, crew, figures, values
from benchmarks.measure import Latency, fairness, percentile
from benchmarks.pictures import pictures
from benchmarks.places import Files
from benchmarks.queues.candidate import EVERY, load
from benchmarks.single import Size
from benchmarks.tables import page

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def docs(tmp_path_factory):
    """What a quick run writes."""
    folder = tmp_path_factory.mktemp("bench")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "filesystem_of", lambda _: "of a test")  # whose folder may be in memory
        command.main(["--quick", "--only", "sqlite", "--folder", str(folder), "--docs", str(folder / "docs")])
    return folder / "docs"


@pytest.fixture
def found():
    """The figures of the repository's page."""
    return json.loads((DOCS / "benchmarks" / "figures.json").read_text())


@pytest.fixture
def quick(docs):
    """Those of the quick run."""
    return json.loads((docs / "benchmarks" / "figures.json").read_text())


# --- arithmetic -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "value"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100), (0.001, 1), (0.501, 51), (0.0, 1)]
)
def test_a_percentile_is_the_least_value_that_the_share_does_not_exceed(share, value):
    assert percentile(range(1, 101), share) == value


def test_percentiles_are_in_microseconds_and_need_samples():
    assert Latency.of([3e-6, 1e-6, 2e-6]) == Latency(samples=3, p50=2.0, p95=3.0, p99=3.0)
    with pytest.raises(ValueError, match="nothing was measured"):
        Latency.of([])


@pytest.mark.parametrize(("counts", "share"), [([5, 5, 5, 5], 1.0), ([0, 9, 9, 9], 0.0), ([1, 3], 0.5), ([0, 0], 0.0)])
def test_fairness_is_what_the_worst_off_got_of_a_fair_share(counts, share):
    assert fairness(counts) == share


# --- the candidates ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", EVERY)
@pytest.mark.parametrize("synchronous", ["NORMAL", "FULL"])
def test_every_candidate_serves_each_task_once_under_the_level_it_was_given(tmp_path, spec, synchronous):
    serve_each_task_once(load(spec)(str(tmp_path / "queue"), synchronous), synchronous)


class Locked:
    """A queue whose file is always locked for the claim, and whose every task is the same."""

    def enqueue(self):
        pass

    def claim(self):
        raise sqlite3.OperationalError("database is locked")


def test_a_lock_error_is_counted_and_does_not_end_the_round():
    share = crew._work(Locked(), 0.01)
    assert share.lock_errors > 1
    assert share.cycles == 0
    assert len(share.latencies["enqueue"]) == share.lock_errors


def test_a_task_given_to_two_processes_is_counted():
    assert values.repeated([crew.Share(claimed=[1, 2]), crew.Share(claimed=[2, 3]), crew.Share(claimed=[3])]) == 2


@pytest.mark.parametrize(("left", "lost"), [([4, 5], 0), ([4], 1), ([], 2), ([3, 4, 5], 0)])
def test_a_task_that_nobody_was_given_is_lost(left, lost):
    shares = [crew.Share(claimed=[1, 2]), crew.Share(claimed=[2, 3])]
    shares[0].latencies["enqueue"] = [0.1, 0.1]
    assert values.lost(3, shares, left) == lost


def test_what_is_left_after_a_round_can_be_claimed(tmp_path):
    sizes = crew.CrewSize(depth=30, rounds=2, seconds=0.05)
    with crew.Crew() as workers:
        [rounds] = crew.measure(workers, [EVERY[2]], "NORMAL", sizes, Files(tmp_path))
    assert [len(left) for left in rounds.left] == [30, 30]
    assert [values.lost(30, shares, left) for shares, left in zip(rounds.shares, rounds.left, strict=True)] == [0, 0]
    assert values.lost(31, rounds.shares[0], rounds.left[0]) == 1


class Short:
    """A queue that is given tasks, and has one less than it should."""

    def enqueue(self):
        pass

    def enqueue_many(self, count):
        pass

    def claim(self):
        return 1

    def claim_many(self, count):
        return count - 1


def test_a_batch_that_brings_too_little_stops_the_run():
    one = batches.Batches("reference", 1)
    batches._block(Short(), one, 100)
    assert one.tasks == 100
    with pytest.raises(RuntimeError, match="100 tasks were to be claimed, 10 to a call, but 90 were"):
        batches._block(Short(), batches.Batches("reference", 10), 100)


def test_batches_are_counted_in_tasks(tmp_path):
    found = batches.measure([EVERY[2]], "NORMAL", Size(depth=1, rounds=2, block=1), Files(tmp_path))
    assert [(one.to_a_call, one.tasks) for one in found] == [(1, 200), (10, 200), (100, 200)]
    assert all(one.to_dict()["claim"] > 0 for one in found)


# --- the run ----------------------------------------------------------------------------------------------------------


@pytest.mark.alone
def test_a_quick_run_measures_everything_of_everyone(quick):
    names = {load(spec).name for spec in EVERY}
    for level in ("NORMAL", "FULL"):
        assert {row["name"] for row in quick[f"single {level}"]} == names
        assert {row["name"] for row in quick[f"crew {level}"]} == names
        assert all(row["synchronous"] == level for row in quick[f"single {level}"])
        assert all(set(row["latency"]) == {"enqueue", "claim", "complete", "cycle"} for row in quick[f"single {level}"])
        reference = next(row for row in quick[f"crew {level}"] if row["name"] == "reference")
        assert len(reference["shares"]) == 4
        assert reference["claimed_twice"] == 0
    assert len(quick["flat"]) == 12
    assert [row["without"] for row in quick["prices"]][-1] == "all of these"


@pytest.mark.alone
def test_the_page_and_the_pictures_are_made_of_the_figures_alone(docs, quick):
    assert (docs / "benchmarks.md").read_text() == page(quick)
    for name, picture in pictures(quick):
        assert (docs / "benchmarks" / f"{name}.svg").read_text() == picture
        assert f"benchmarks/{name}.svg" in page(quick)


def test_the_page_of_the_repository_is_that_of_its_figures(found):
    assert (DOCS / "benchmarks.md").read_text() == page(found)
    for name, picture in pictures(found):
        assert (DOCS / "benchmarks" / f"{name}.svg").read_text() == picture


def test_a_bar_is_missed_when_its_figure_is_on_the_wrong_side(found):
    text = "claim, NORMAL: p50 as a multiple of the floor"
    for own, met in ((150.0, True), (151.0, False)):
        for row in found["single NORMAL"]:
            row["latency"]["claim"]["p50"] = own if row["name"] == "reference" else 100.0
        assert {bar.text: bar.met for bar in bars.judged(found)}[text] is met
        assert ("**missed**" not in next(line for line in page(found).splitlines() if text in line)) is met


def test_the_reference_is_measured_against_the_best_peer_with_and_without_those_that_give_tasks_twice(found):
    rows = found["crew FULL"]
    for row in rows:
        row["per_second"] = {"reference": 120, "litequeue": 60, "persist-queue": 80}.get(row["name"], 10)
        row["claimed_twice"] = 1500 if row["name"] == "persist-queue" else 0
    judged = {bar.text: bar.measured for bar in bars.judged(found)}
    assert judged["4 processes, FULL: cycles as a multiple of litequeue"] == 2.0
    assert judged["4 processes, FULL: cycles as a multiple of persist-queue, which gave 1,500 twice"] == 1.5
    for row in rows:
        row["claimed_twice"] = 0
    judged = [bar.text for bar in bars.judged(found)]
    assert "4 processes, FULL: cycles as a multiple of persist-queue" in judged
    assert not any("FULL: cycles as a multiple of litequeue" in text for text in judged)


@pytest.mark.parametrize(("twice", "best"), [(0, "persist-queue"), (1, "litequeue")])
def test_the_best_peer_is_one_that_records_completion_and_gives_no_task_twice(found, twice, best):
    rows = found["crew NORMAL"]
    for row in rows:
        row["per_second"] = {"huey": 9, "litequeue": 7, "persist-queue": 8}.get(row["name"], 10)
        row["claimed_twice"] = twice if row["name"] == "persist-queue" else 0
    assert bars.best_peer(rows)["name"] == best


def test_a_folder_in_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "filesystem_of", lambda _: "tmpfs")
    with pytest.raises(ValueError, match=r"is on tmpfs.*--folder"):
        figures.measured(figures.QUICK_PLAN, tmp_path, print)
    assert list(tmp_path.iterdir()) == []

"""The kill matrix: what it holds against a suite, what its pages say, and the whole of it as a long test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from kill_matrix import TIMED, Cell, judged_requirements, problems, row_of
from matrix_pages import kills_module, matrix_page
from mutant_queues.registry import Catalogue, Mutant, Twin, adapter_of, catalogue, name_of

from pytest_taskq import QueueAdapter
from pytest_taskq.contract import Instrument, Verdict
from pytest_taskq.contract.requirements import REQUIREMENTS

HERE = Path(__file__).parent
BROKEN = Mutant(
    name="Broken",
    requirement="FIN-02",
    instrument=Instrument.MODEL,
    adapter="queues:Broken",
    twin="queues:Correct",
    reason="False",
    does="Completes by id alone",
)
# What they find, they would find of the queue that a detail was changed of.
SEVERAL = frozenset({Instrument.INTERLEAVINGS, Instrument.HISTORY, Instrument.CRASH_POINTS})
KNOWN = Catalogue((BROKEN,), (Twin(adapter="queues:Correct", short_of=(("SCH-08", "it scans"),)),))
PASS, FAIL = Cell(Verdict.PASS), Cell(Verdict.FAIL, frozenset({"model"}), "expected False; seen True")
BY_ORACLE = Cell(Verdict.FAIL, frozenset({"oracle"}))


def rows(broken: Cell = FAIL, correct: Cell = PASS, should: Cell = FAIL) -> dict[str, dict[str, Cell]]:
    return {
        "queues:Broken": {"FIN-02": broken, "FIN-03": FAIL},
        "queues:Correct": {"FIN-02": correct, "SCH-08": should},
    }


class TestProblems:
    @staticmethod
    def of(given: dict[str, dict[str, Cell]], judged: tuple[str, ...] = ("FIN-02", "FIN-03"), waiting=()) -> list[str]:
        return problems(KNOWN, given, judged, waiting)

    def test_a_matrix_as_it_should_be_has_none(self) -> None:
        assert self.of(rows()) == []

    @pytest.mark.parametrize(
        ("cell", "said"),
        [
            (PASS, "Broken survived FIN-02 (model): PASS"),
            (Cell(Verdict.NOT_RUN), "Broken survived FIN-02 (model): NOT RUN"),
            (BY_ORACLE, "Broken survived FIN-02 (model): FAIL, failed only by oracle"),
        ],
    )
    def test_a_broken_queue_that_its_instrument_does_not_fail(self, cell: Cell, said: str) -> None:
        assert said in self.of(rows(broken=cell))

    def test_a_broken_queue_that_its_requirement_does_not_grade(self) -> None:
        given = rows()
        del given["queues:Broken"]["FIN-02"]
        assert "Broken cannot be failed by FIN-02, which does not grade what it overrides" in self.of(given)

    @pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.NOT_RUN])
    def test_a_correct_queue_that_is_failed_or_not_judged(self, verdict: Verdict) -> None:
        expected = [f"queues:Correct is correct, but FIN-02 is {verdict.value}: no reason"]
        assert self.of(rows(correct=Cell(verdict, reason="no reason"))) == expected

    @pytest.mark.parametrize("verdict", [Verdict.NOT_OFFERED, Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE])
    def test_what_says_nothing_against_a_correct_queue_is_none(self, verdict: Verdict) -> None:
        assert self.of(rows(correct=Cell(verdict))) == []

    def test_a_should_that_is_said_to_be_out_of_reach_and_is_not(self) -> None:
        expected = ["queues:Correct is said to fall short of SCH-08, which is PASS"]
        assert self.of(rows(should=PASS)) == expected

    def test_a_requirement_that_fails_nothing(self) -> None:
        said = "FIN-04 fails no broken queue: nothing shows that its checks can fail"
        assert self.of(rows(), judged=("FIN-02", "FIN-04")) == [said]
        assert self.of(rows(), judged=("FIN-02", "FIN-04"), waiting=("FIN-04",)) == []


def test_the_page_marks_the_expected_kill_and_lists_the_others() -> None:
    page = matrix_page(KNOWN, rows(), ("FIN-02", "FIN-03", "FIN-04"), "smoke", 1)
    assert "| FIN-02 | **Broken** |" in page
    assert "| FIN-03 | Broken |" in page
    assert "| FIN-04 | none |" in page
    assert "| `Broken` | Completes by id alone | FIN-02 (model) | FIN-03 |" in page
    assert "| `Correct` | FIN-02 |  | SCH-08: it scans |" in page


def test_the_page_names_checks_that_failed_nothing() -> None:
    unproven = matrix_page(KNOWN, rows(), ("FIN-02",), "smoke", 1).partition("failed yet: ")[2].partition("\n")[0]
    assert "FIN-02 by oracle" in unproven
    assert "FIN-02 by model" not in unproven


@pytest.mark.parametrize("does", ["plain", 'has "these"', "it's", "a\\b", "x" * 120])
def test_the_data_of_the_package_reads_back(does: str) -> None:
    source, found = kills_module({"FIN-02": {"Broken": does}}), {}
    exec(source, found)  # noqa: S102 - the source just made
    assert found["KILLS"] == {"FIN-02": {"Broken": does}}
    assert all(len(line) <= 120 or "noqa: E501" in line for line in source.splitlines())


def test_a_row_holds_what_the_adapters_own_code_is_graded_for() -> None:
    class Counts(QueueAdapter):
        def queue_stats(self):
            return {"queued": 77}

    sys.modules[__name__].Counts = Counts
    Counts.__qualname__ = "Counts"
    row = row_of(name_of(Counts), "smoke", 1)
    assert set(row) == {name for name in judged_requirements(TIMED) if "queue_stats" in REQUIREMENTS[name].grades}
    assert row["OBS-01"].verdict is Verdict.FAIL
    assert row["OBS-01"].failed_by == {"model"}


def left_to_the_whole_matrix(twin: Twin, name: str, tried: set[str]) -> frozenset[Instrument]:
    """Return the instruments that are left out: those that time, and what takes long and adds little."""
    if name in dict(twin.short_of) or (name == "LAT-05" and name not in tried):
        return frozenset(Instrument)
    return TIMED | SEVERAL if twin.detail and name not in tried else TIMED


@pytest.mark.parametrize("twin", catalogue().twins, ids=lambda one: one.adapter)
def test_a_correct_queue_is_never_failed_and_passes_what_fails_the_broken_ones_made_of_it(twin: Twin) -> None:
    mine = [one for one in catalogue().mutants if one.twin == twin.adapter]
    tried = {one.requirement for one in mine if one.instrument is not Instrument.TIMING}  # see test_kills.py
    row = row_of(twin.adapter, "smoke", 1, lambda name: left_to_the_whole_matrix(twin, name, tried))
    assert row
    assert problems(Catalogue((), (twin,)), {twin.adapter: row}, (), ()) == []
    assert {name: row[name] for name in tried if row[name].verdict is not Verdict.PASS} == {}


def test_what_is_another_correct_queue_but_for_a_detail_is_made_of_one() -> None:
    correct = {one.adapter: adapter_of(one.adapter) for one in catalogue().twins}
    for name in (one.adapter for one in catalogue().twins if one.detail):
        assert any(base in correct.values() for base in correct[name].__mro__[1:]), name


def test_every_broken_queue_has_a_twin_that_is_judged() -> None:
    untimed = [one for one in catalogue().mutants if one.instrument is not Instrument.TIMING]  # see test_kills.py
    assert {one.twin for one in untimed} <= {one.adapter for one in catalogue().twins}


@pytest.mark.parametrize(
    ("options", "long"),
    [((), False), (("-m", "not taskq"), False), (("-m", "not soak"), False), (("-m", "soak"), True)],
    ids=["by default", "-m not taskq", "-m not soak", "-m soak"],
)
def test_long_tests_run_where_they_are_named_alone(options: tuple[str, ...], long: bool) -> None:
    command = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--collect-only", "-q", *options, __file__)
    listed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert ("test_the_whole_matrix" in listed) is long
    assert ("test_a_matrix_as_it_should_be" in listed) is not long


@pytest.mark.parametrize(("options", "timed"), [((), False), (("-m", "alone"), True)], ids=["by default", "-m alone"])
def test_timed_tests_run_where_they_are_named_alone(options: tuple[str, ...], timed: bool) -> None:
    command = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--collect-only", "-q", *options)
    file = str(HERE / "test_kills.py")
    listed = subprocess.run((*command, file), capture_output=True, text=True, timeout=60, check=True).stdout
    assert ("OBS-04-CountsSlowlyWithTheLock-timing" in listed) is timed
    assert ("test_a_correct_queue_is_never_found_slow" in listed) is timed
    assert ("SCH-08-SortsTheBacklog" in listed) is not timed


@pytest.mark.soak
@pytest.mark.parametrize("twin", catalogue().twins, ids=lambda one: one.adapter)
@pytest.mark.parametrize("seed", [2, 3])
def test_a_correct_queue_is_never_failed_with_other_seeds_and_more_effort(twin: Twin, seed: int) -> None:
    found = {twin.adapter: row_of(twin.adapter, "pr", seed)}
    assert problems(Catalogue((), (twin,)), found, (), ()) == []


@pytest.mark.soak
def test_the_whole_matrix_is_as_it_should_be_and_its_page_up_to_date(tmp_path: Path) -> None:
    command = (sys.executable, str(HERE / "kill_matrix.py"), "--into", str(tmp_path))
    ended = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    written = (HERE.parents[1] / "docs" / "kill-matrix.md").read_text(encoding="utf-8")
    assert written == (tmp_path / "kill-matrix.md").read_text(encoding="utf-8"), "run `make kill-matrix`"

"""Model: scenarios first, then generated programs, code and specification side by side in virtual time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_taskq.contract import METHODS, Finding, Instrument, Requirement, Verdict
from pytest_taskq.model.model import Model
from pytest_taskq.model.program import Run
from pytest_taskq.model.scenarios import SCENARIOS
from pytest_taskq.subject.violation import ContractViolation, NotJudgedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_taskq.contract import TaskId
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.model.calls import Program
    from pytest_taskq.model.disagreement import Disagreement
    from pytest_taskq.subject import Bench, QueueUnderTest, Subject


class ModelQueue:
    """The code under test as a program needs it: calls recorded, time virtual, rows seen by plain SQL."""

    def __init__(self, queue: QueueUnderTest) -> None:
        self._queue = queue
        self.offers = queue.subject.offers
        self.attempt = queue.attempt
        self.advance = queue.advance

    def insert(self, columns: Mapping[str, Any]) -> TaskId | None:
        """Insert a row by plain SQL; None if there is no shared table or its constraints refuse the row."""
        if not self._queue.subject.shared_schema:
            return None
        return self._queue.insert(columns)

    def stored(self) -> tuple[list[Mapping[str, Any]], bool] | None:
        """Return every stored row; a standalone queue's if it lists its tasks."""
        if self._queue.subject.shared_schema:
            return self._queue.sql("SELECT * FROM task_queue"), True  # type: ignore[return-value]  # a Row is mapping enough
        tasks = getattr(self._queue.adapter, "all_tasks", None)
        if tasks is None:
            return None
        shown = [{name: value for name, value in task.to_dict().items() if value is not None} for task in tasks()]
        return [*shown], True


class Disagrees(Exception):  # noqa: N818 - a finding
    """A program on which code and model part ways about the requirement that is judged."""

    def __init__(self, disagreement: Disagreement, calls: list[str]) -> None:
        super().__init__(disagreement.expected)
        self.disagreement = disagreement
        self.calls = calls


@dataclass
class Tally:
    """What the programs of one requirement came to."""

    programs: int = 0
    calls: int = 0
    witnessed: int = 0
    elsewhere: int = 0
    other: str = ""

    def of(self, planned: int) -> str:
        """Return which program comes next; those beyond the plan are attempts to shorten one that fails."""
        number = self.programs + 1
        return f"program {number} of {planned}" if number <= planned else f"program {number}, to shorten one that fails"


class ModelJudge:
    """Judges one requirement at a time: a disagreement about another one ends a program without a verdict."""

    def supports(self, subject: Subject) -> str | None:
        """Return None: every queue can be compared with the model."""
        del subject
        return None

    def judge(self, requirement: Requirement, bench: Bench, budget: Budget) -> Finding:
        """Return PASS with what was explored, FAIL with the shortest calls found, or why there is no verdict."""
        tally = Tally()
        planned = len(SCENARIOS[requirement.id]) + budget.examples
        try:
            for program in SCENARIOS[requirement.id]:
                bench.tell(tally.of(planned))
                play(requirement, bench, program, tally)
            _explore(requirement, bench, budget, tally, planned)
        except Disagrees as found:
            raise ContractViolation(found.disagreement.expected, found.disagreement.seen, calls=found.calls) from None
        if not tally.witnessed:
            other = f"; first seen: {tally.other}" if tally.other else ""
            raise NotJudgedError(
                f"none of {tally.programs} programs brought about what {requirement.id} is about ({tally.elsewhere} "
                f"ended early because another requirement was broken{other})"
            )
        explored = f"{tally.programs} programs, {tally.calls} calls, decided {tally.witnessed} times"
        if tally.elsewhere:  # less was explored than the number of programs says
            explored += f", {tally.elsewhere} ended early at another requirement"
        return Finding.of(requirement, Instrument.MODEL, Verdict.PASS, explored=explored)


def play(requirement: Requirement, bench: Bench, program: Program, tally: Tally) -> None:
    """Run one program on a fresh queue. Raises Disagrees if it breaks the requirement."""
    bench.exactly(lambda: _play(requirement, bench, program, tally))


def _play(requirement: Requirement, bench: Bench, program: Program, tally: Tally) -> None:
    with bench.queue() as queue:
        subject = queue.subject
        model = Model(
            subject.promises,
            round(queue.now().timestamp() * 1000),
            leases=subject.offers("leases"),
            claims_reclaim=not subject.offers("reclaim_expired"),
            reference=frozenset() if subject.standalone else frozenset(METHODS) - subject.own,
        )
        run = Run(ModelQueue(queue), model)
        found = run.play(program)
        tally.programs += 1
        tally.calls += len(queue.transcript)
        tally.witnessed += model.witnessed[requirement.id]
        mine = next((one for one in found if requirement.id in one.breaks), None)
        if mine is not None:
            raise Disagrees(mine, queue.transcript.lines)
        if found:
            tally.elsewhere += 1
            tally.other = (
                tally.other
                or f"{', '.join(sorted(found[0].breaks))}: expected {found[0].expected}, seen {found[0].seen}"
            )


def _explore(requirement: Requirement, bench: Bench, budget: Budget, tally: Tally, planned: int) -> None:
    # Imported here: Hypothesis costs a tenth of a second that only a graded run should pay.
    from hypothesis import HealthCheck, Phase, given, seed, settings

    from pytest_taskq.instruments.generator import repeatable
    from pytest_taskq.model.generation import programs

    @seed(budget.seed_for(requirement.id))
    @settings(
        max_examples=budget.examples,
        database=None,
        deadline=None,
        derandomize=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(programs(requirement.id, bench.subject.offers, budget.calls))
    def agree(program: Program) -> None:
        bench.tell(tally.of(planned))
        play(requirement, bench, program, tally)

    with repeatable():
        agree()

"""Interleavings: every schedule of two or three workers, statement by statement, until one breaks the requirement."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from pytest_taskq.contract import Finding, Instrument, Requirement, Verdict
from pytest_taskq.contract.details import Violation
from pytest_taskq.instruments.means import means_of
from pytest_taskq.interleaving.aftermath import NothingToRaceError, UnseenError
from pytest_taskq.interleaving.choices import Token
from pytest_taskq.interleaving.columns import columns
from pytest_taskq.interleaving.evidence import schedule_details
from pytest_taskq.interleaving.exploration import Counterexample, Exploration, Searched
from pytest_taskq.interleaving.scenarios import scenarios_of
from pytest_taskq.subject.violation import InconclusiveError, NotJudgedError, UnsupportedError

if TYPE_CHECKING:
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.interleaving.events import Played
    from pytest_taskq.interleaving.scenario import Scenario
    from pytest_taskq.subject import Bench, ContractViolation, Subject


_NO_TIME = (
    "its time passes in the middle of a schedule, and where stored times are shifted it cannot while transactions hold "
    "rows"
)
_ENOUGH = 2  # nearly all known bugs show with so many preemptions (Musuvathi and Qadeer, PLDI 2007)


class InterleavingsJudge:
    """Judges one requirement by its scenarios, one after the other."""

    def supports(self, subject: Subject) -> str | None:
        """Return None: whether the code's statements can be scheduled shows when they are run."""
        del subject
        return None

    def judge(self, requirement: Requirement, bench: Bench, budget: Budget) -> Finding:
        """Return PASS with what was explored, FAIL with the schedule that has the fewest deviations, or why neither."""
        scenarios = [one for one in scenarios_of(requirement.id, bench.subject) if not _missing(one, bench.subject)]
        if budget.effort == "smoke" and not budget.replay:
            scenarios = [one for one in scenarios if not one.thorough]
        off = {one.elsewhere[bench.backend]: None for one in scenarios if bench.backend in one.elsewhere}
        scenarios = [one for one in scenarios if bench.backend not in one.elsewhere]
        if not scenarios:
            reason = "; ".join(off) or "nothing of what is offered can be raced"
            return Finding.of(requirement, Instrument.INTERLEAVINGS, Verdict.UNSUPPORTED, reason=reason)
        scenarios, left_out = _where_time_stands(scenarios) if bench.moves_rows() else (scenarios, [])
        if budget.replay:
            return _replayed(requirement, bench, scenarios, Token.parse(budget.replay))
        means, said = means_of(bench), list[str]()
        for scenario in scenarios:
            try:
                searched = _searched(scenario, bench, budget)
            except NothingToRaceError as error:
                return Finding.of(requirement, Instrument.INTERLEAVINGS, Verdict.NOT_OFFERED, reason=str(error))
            except UnseenError as error:
                verdict = Verdict.UNSUPPORTED if bench.subject.standalone else Verdict.NOT_RUN
                return Finding.of(requirement, Instrument.INTERLEAVINGS, verdict, reason=str(error))
            except UnsupportedError as error:
                left_out.append(f"{scenario.name} is unsupported, as {error}")
                continue
            if searched.found is not None:
                played, violation = searched.found.played, searched.found.violation
                return _failed(requirement, scenario, played, violation, searched.explored.runs)
            said.append(f"{scenario.name}: {_claim(scenario, searched, bench, budget)}")
        if not said:
            return Finding.of(requirement, Instrument.INTERLEAVINGS, Verdict.UNSUPPORTED, reason="; ".join(left_out))
        said += [*left_out, *([means.left_out] if means.left_out else [])]
        return Finding.of(requirement, Instrument.INTERLEAVINGS, Verdict.PASS, explored="; ".join(said))


def _where_time_stands(scenarios: list[Scenario]) -> tuple[list[Scenario], list[str]]:
    """Return what can be explored although no time can pass in a schedule, and what is said of the others."""
    said = [f"{one.name} is unsupported, as {_NO_TIME}" for one in scenarios if one.jump]
    found = [one.standing if one.jump else one for one in scenarios]
    return [one for one in found if one is not None], said


_KNOWN: WeakKeyDictionary[Scenario, dict[Budget, Searched | NotJudgedError | InconclusiveError]] = WeakKeyDictionary()


def _searched(scenario: Scenario, bench: Bench, budget: Budget) -> Searched:
    """Search a scenario once, for all requirements that share it."""
    known, most = _KNOWN.setdefault(scenario, {}), _deviations(scenario, bench, budget)
    if budget not in known:
        try:
            known[budget] = bench.exactly(lambda: Exploration(scenario, bench).search(budget.schedules, most))
        except (NotJudgedError, InconclusiveError) as error:
            known[budget] = error.with_traceback(None)
    result = known[budget]
    if isinstance(result, Exception):
        raise result
    return result


def _deviations(scenario: Scenario, bench: Bench, budget: Budget) -> int | None:
    """Return how many deviations are tried; one more where time passes or a worker dies, which is one by itself."""
    more = bool(scenario.jump) + bool(scenario.mortal)
    most = budget.unmerged_deviations if bench.moves_rows() else budget.deviations
    return None if most is None else most + more


def _missing(scenario: Scenario, subject: Subject) -> bool:
    return any(not subject.offers(need) for need in scenario.needs)


def _claim(scenario: Scenario, searched: Searched, bench: Bench, budget: Budget) -> str:
    """Say what was explored, and no more. Raises InconclusiveError if that is less than the effort is to reach."""
    explored, actors = searched.explored, len(scenario.scripts)
    more = [word for word, there in (("deaths", scenario.mortal), ("time", scenario.jump)) if there]
    of = f"{actors} workers" + (f" with {' and '.join(more)}" if more else "") + means_of(bench).grain
    of += ", pauses lasting until nobody else goes on" if scenario.unhurried else ""
    if explored.cut and not searched.rows_seen:
        raise InconclusiveError(
            f"{scenario.name}: only after {explored.cut} runs had been cut short in a state that seemed to be seen "
            "before was it known that states cannot be told apart here"
        )
    if explored.exhausted:  # where rows were not seen, none was cut
        cut = f", {explored.cut} of them up to a state seen before" if explored.cut else ""
        return f"all schedules of {of} ({explored.runs} runs{cut})"
    if explored.deviations < min(_deviations(scenario, bench, budget) or _ENOUGH, _ENOUGH):
        raise InconclusiveError(
            f"{scenario.name} has more schedules than the {budget.schedules} runs of this effort: not even "
            f"all with {explored.deviations + 1} preemptions were run; choose a higher --taskq-effort"
        )
    return f"all schedules of {of} with at most {explored.deviations} preemptions ({explored.runs} runs)"


def _replayed(requirement: Requirement, bench: Bench, scenarios: list[Scenario], token: Token) -> Finding:
    if token.requirement != requirement.id:
        raise InconclusiveError(f"only the schedule {token} is run, which is about {token.requirement}")
    scenario = next((one for one in scenarios if one.name == token.scenario), None)
    if scenario is None:
        names = ", ".join(one.name for one in scenarios)
        raise NotJudgedError(f"{requirement.id} has no scenario {token.scenario!r} for this adapter; it has {names}")
    try:
        played, violation = bench.exactly(lambda: Exploration(scenario, bench).replay(token.schedule))
    except UnseenError as error:
        raise NotJudgedError(str(error)) from None
    if violation is not None:
        return _failed(requirement, scenario, played, violation, 1)
    whole = "this one schedule keeps the requirement now"
    if played.strayed is not None:
        choice = token.schedule[played.strayed]
        whole = (
            f"its step {played.strayed + 1} ({choice.letter}) is not possible any more, and with the others this "
            "schedule keeps the requirement now"
        )
    raise InconclusiveError(f"{whole}; run without --taskq-replay to try all")


def _failed(
    requirement: Requirement, scenario: Scenario, played: Played, violation: ContractViolation, runs: int
) -> Finding:
    token = Token(requirement.id, scenario.name, Counterexample(played, violation).schedule)
    schedule = schedule_details(token, played, workers=len(scenario.scripts), run=runs)
    deviations = schedule["deviations"]
    preempted = f"{deviations} deviation{'' if deviations == 1 else 's'} from one worker after the other"
    head = f"schedule   {scenario.name}, run {runs}, {preempted}"
    tail = [f"expected   {violation.expected}", f"seen       {violation.seen}"]
    lines = [head, "", *columns(played.events, len(scenario.scripts)), "", *tail]
    reason = f"expected {violation.expected}; seen {violation.seen}"
    verdict, replay = Verdict.FAIL, f"--taskq-replay={token}"
    if violation.method is not None and violation.method not in requirement.grades:
        reason = f"{violation.method}, which it needs and does not grade, broke the contract: {reason}"
        verdict, replay = Verdict.NOT_RUN, ""
    return Finding.of(
        requirement,
        Instrument.INTERLEAVINGS,
        verdict,
        reason=reason,
        evidence="\n".join(lines),
        replay=replay,
        details={
            "schedule": schedule,
            "violation": Violation(expected=violation.expected, seen=violation.seen),
        },
    )

"""History: real processes hammer the queue, every call is recorded, and pure checkers judge what happened."""

from __future__ import annotations

import inspect
import shlex
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_taskq.contract import Finding, Instrument, Requirement, Verdict
from pytest_taskq.contract.details import Violation
from pytest_taskq.history import SECOND, last_calls, of_the_proof
from pytest_taskq.history.excerpt import history_details
from pytest_taskq.instruments.history_evidence import Broken, Thin, Unshared
from pytest_taskq.instruments.history_judges import LEASED, LOADED, SESSIONS, Session
from pytest_taskq.recording.crew import Crew
from pytest_taskq.recording.history_file import RecordedHistory, write_history
from pytest_taskq.recording.sessions import is_shared
from pytest_taskq.recording.stage import Stage
from pytest_taskq.subject.violation import InconclusiveError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_taskq.history import Death, Operation
    from pytest_taskq.instruments.budget import Budget
    from pytest_taskq.recording.stage import Recording
    from pytest_taskq.subject import Bench, Subject

JUDGED: tuple[str, ...] = tuple(SESSIONS)
_MOST_TRIES = 4  # each twice as long as the one before


@dataclass(slots=True)
class _Cast:
    """The crew of this process, for the last subject alone, and what it recorded."""

    crew: Crew | None = None
    adapter: type | None = None
    recordings: dict[tuple[str, str, int, int], Recording] | None = None
    shared: bool = False

    def crew_of(self, subject: Subject) -> tuple[Crew, dict[tuple[str, str, int, int], Recording]]:
        if self.crew is None or self.recordings is None or self.adapter is not subject.adapter:
            self.close()
            self.crew, self.adapter, self.recordings = Crew(subject.import_string), subject.adapter, {}
        return self.crew, self.recordings

    def close(self) -> None:
        if self.crew is not None:
            self.crew.close()
        self.crew = self.adapter = self.recordings = None
        self.shared = False


_CAST = _Cast()


def end_processes() -> None:
    """End the processes of the last subject and forget what they recorded."""
    _CAST.close()


class HistoryJudge:
    """Judges one requirement at a time; requirements of one session are judged from the same recording."""

    def supports(self, subject: Subject) -> str | None:
        """Return why another process cannot make the adapter, None if it can."""
        name = subject.import_string
        if "<locals>" in name or name.startswith("__main__:"):
            return f"other processes cannot import {name}; move the adapter to a module"
        return None

    def judge(self, requirement: Requirement, bench: Bench, budget: Budget) -> Finding:
        """Return PASS with what was recorded, FAIL with the operations that prove it, or why there is no verdict."""
        explored = []
        for session in _sessions(requirement, bench.subject, budget):
            finding = self._by(session, requirement, bench, budget)
            if finding.verdict is not Verdict.PASS:
                return finding
            explored.append(finding.explored)
        return Finding.of(requirement, Instrument.HISTORY, Verdict.PASS, explored="; ".join(explored))

    def _by(self, session: Session, requirement: Requirement, bench: Bench, budget: Budget) -> Finding:
        thin = ""
        for attempt in range(_MOST_TRIES):
            try:
                recording = _recorded(session, bench, budget, longer=2**attempt)
                explored = session.judge(recording, bench.subject, requirement.id)
            except Thin as found:
                thin = str(found)
                continue
            except Broken as found:
                failed = _failed(requirement, bench, budget, found, recording.deaths)
                return replace(failed, details={**failed.details, **found.figures})
            except Unshared as found:
                return Finding.of(requirement, Instrument.HISTORY, Verdict.UNSUPPORTED, reason=str(found))
            return Finding.of(requirement, Instrument.HISTORY, Verdict.PASS, explored=explored)
        raise InconclusiveError(f"{thin}, although it was tried {_MOST_TRIES} times, each longer than the one before")


def _sessions(requirement: Requirement, subject: Subject, budget: Budget) -> list[Session]:
    """Return what is recorded for a requirement: its session, and where it takes part the load run and short leases.

    Short leases wait for real seconds, so they are left out of a smoke run, and under coarse clocks.
    """
    leased = LEASED.get(requirement.id)
    waits = budget.effort != "smoke" and subject.offers("leases") and subject.promises.time_precision <= 1
    loaded = LOADED.get(requirement.id)
    return [SESSIONS[requirement.id], *([leased] if leased and waits else []), *([loaded] if loaded else [])]


def _recorded(session: Session, bench: Bench, budget: Budget, *, longer: int) -> Recording:
    _, recordings = _CAST.crew_of(bench.subject)
    key = (session.name, budget.effort, budget.seed, longer)
    if key not in recordings:
        with fresh_stage(bench, budget) as stage:
            recordings[key] = session.record(stage, longer)
    return recordings[key]


@contextmanager
def fresh_stage(bench: Bench, budget: Budget) -> Iterator[Stage]:
    """Yield a fresh store with the processes of the subject on it. Raises Unshared if they could not share it."""
    crew, _ = _CAST.crew_of(bench.subject)
    if bench.subject.standalone and not _CAST.shared:
        _CAST.shared = _shared(bench, crew, budget)
    with bench.queue(in_real_time=True) as queue:
        yield Stage(queue, crew, budget)


def _shared(bench: Bench, crew: Crew, budget: Budget) -> bool:
    """Return True, or raise Unshared: what a process keeps to itself cannot be judged from several."""
    with bench.queue(in_real_time=True) as queue:
        if not is_shared(Stage(queue, crew, budget)):
            raise Unshared("what one process enqueued another could not claim: the store is not shared by processes")
    return True


def _failed(
    requirement: Requirement, bench: Bench, budget: Budget, found: Broken, deaths: tuple[Death, ...]
) -> Finding:
    path = _kept(requirement, bench, budget, found, deaths)
    return Finding.of(
        requirement,
        Instrument.HISTORY,
        Verdict.FAIL,
        reason=f"expected {found.expected}; seen {found.seen.splitlines()[0]}",
        evidence="\n".join(_evidence(found, deaths, path)),
        recheck=f"taskq check {shlex.quote(str(path))}" if found.checks else "",
        details={
            "history": history_details(found.operations, found.witness, str(path), deaths),
            "violation": Violation(expected=inspect.cleandoc(found.expected), seen=found.seen),
        },
    )


def _evidence(found: Broken, deaths: tuple[Death, ...], path: Path) -> Iterator[str]:
    yield f"expected   {inspect.cleandoc(found.expected)}"
    yield f"seen       {found.seen}"
    told = dict(zip(sorted(deaths, key=lambda one: one.moment), last_calls(found.operations, deaths), strict=True))
    for number, death in enumerate(of_the_proof(deaths, found.witness)):
        yield f"{'' if number else 'killed':<10} {_told(death, told[death])}"
    if not found.checks:  # else the command that judges it again names it
        yield f"history    {path}"


def _told(death: Death, call: Operation | None) -> str:
    where = f"{death.moment / SECOND:.6f}  {death.actor}"
    if call is None or not call.crashed:
        return f"{where}, between two calls"
    return f"{where}, in {call.kind}{'' if call.task is None else f' {call.task!r}'}: nobody knows what came of it"


def _kept(requirement: Requirement, bench: Bench, budget: Budget, found: Broken, deaths: tuple[Death, ...]) -> Path:
    """Write the history that fails the requirement where it outlives the run."""
    path = bench.keep("histories", f"{requirement.id}-{budget.seed}.jsonl")
    ways = found.ways
    back = ways.redelivery
    history = RecordedHistory(
        operations=tuple(found.operations),
        checks=found.checks,
        left=ways.left,
        precision=ways.precision,
        skip_locked=ways.skip_locked,
        descending=ways.descending,
        requeues=back.requeues if back else True,
        claims_reclaim=back.claims_reclaim if back else True,
        source=f"{bench.subject.import_string}, {requirement.id}, seed {budget.seed}, effort {budget.effort}",
        deaths=deaths,
    )
    write_history(path, history)
    return path

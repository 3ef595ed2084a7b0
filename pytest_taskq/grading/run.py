"""What a session knows of its conformance run: what is graded, what was found, and what it comes to."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pytest_taskq
from pytest_taskq.clock import ClockUnavailableError, VirtualClock
from pytest_taskq.contract import CONTRACT_VERSION, Instrument, Role
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.grading import gate
from pytest_taskq.grading.check import CHECK, RunningCheck, timing_command
from pytest_taskq.grading.collection import is_joined, requirement_mark
from pytest_taskq.grading.columns import columns_of
from pytest_taskq.grading.known import KnownFailure, known_failures
from pytest_taskq.grading.overridden import in_force, overridden
from pytest_taskq.grading.places import check_dsn, check_replay, stores_for
from pytest_taskq.grading.suite import check_name, shipped_checks, suite_folder
from pytest_taskq.instruments.budget import Budget
from pytest_taskq.postgres.server import SCHEMES, version_of
from pytest_taskq.reports.run_report import Facts, Judged, Plan, RunReport, build_report
from pytest_taskq.subject import AdapterError, Bench, Stores, Subject
from pytest_taskq.subject.store import SHIFTED
from pytest_taskq.subject.watch import unseen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_taskq.certificate.certificate import Certificate
    from pytest_taskq.options import Settings


@dataclass
class ConformanceRun:
    """One session's run; ``judged`` and ``excused`` grow on the controller as reports come in.

    ``entries`` are the requirements whose entry for the known failures was shown: once is enough.
    """

    settings: Settings
    subject: Subject
    known: dict[str, KnownFailure]
    today: date
    began: datetime
    columns: int | None = None
    in_parallel: bool = False
    judged: list[Judged] = field(default_factory=list)
    excused: int = 0
    entries: set[str] = field(default_factory=set)
    hangs: Counter[str] = field(default_factory=Counter)
    show: Callable[[str], None] = unseen

    @classmethod
    def begin(cls, settings: Settings, config: pytest.Config) -> ConformanceRun:
        """Load what is graded. Raises UsageError saying what is wrong and what to do."""
        _refuse_broken_suite()
        subject = load_subject(settings.adapter, config.rootpath)
        check_dsn(settings.dsn, subject)
        check_replay(settings.replay)
        known = known_failures(settings.known_failures, config)
        now = datetime.now(UTC)
        return cls(
            settings=settings,
            subject=subject,
            known=known,
            today=now.astimezone().date(),
            began=now,
            columns=columns_of(config),
            in_parallel=hasattr(config, "workerinput"),
        )

    # --- before the tests -------------------------------------------------------------------------------------------

    def select(self, items: list[pytest.Item]) -> list[pytest.Item]:
        """Prepare the items that judge the team's code, drop and return those that only the reference would answer."""
        marked = {item: mark for item in items if (mark := requirement_mark(item)) is not None}
        _refuse_both_doors(list(marked))
        dropped = [item for item, mark in marked.items() if not self._prepared(item, mark)]
        gone = set(dropped)
        items[:] = [item for item in items if item not in gone]
        return dropped

    def _prepared(self, item: pytest.Item, mark: pytest.Mark) -> bool:
        requirement = REQUIREMENTS.get(mark.kwargs["requirement"])
        if requirement is None or not isinstance(item, pytest.Function):
            raise pytest.UsageError(
                f"{item.nodeid} is marked with {mark.kwargs['requirement']!r}, which is no requirement of the contract"
            )
        if not self.subject.graded(requirement) or not self._replays(requirement.id, mark):
            return False
        timed = mark.kwargs["instrument"] == Instrument.TIMING.value
        if timed and self.settings.latency == "off":
            return False
        not_offered = self.subject.not_offered(requirement)
        item.stash[CHECK] = RunningCheck(
            requirement=requirement,
            instrument=Instrument(mark.kwargs["instrument"]),
            name=check_name(item.function),
            budget=self._budget(item),
            not_offered=not_offered,
            make_bench=self.bench,
            hangs=self.hangs,
        )
        item.extra_keyword_matches.add(requirement.id)
        if timed:
            item.extra_keyword_matches.add(
                Instrument.TIMING.value
            )  # so that -k timing finds those of other modules too
        if not_offered:
            item.add_marker(pytest.mark.skip(reason=f"{requirement.id} not offered: {not_offered}"))
        return True

    def _budget(self, item: pytest.Function) -> Budget:
        return Budget(
            self.settings.effort,
            self.settings.seed,
            self.settings.replay or "",
            latency=self.settings.latency,
            beside=timing_command(item, self.settings.part_options) if self.in_parallel else "",
        )

    def _replays(self, requirement_id: str, mark: pytest.Mark) -> bool:
        """Whether a test takes part: under --taskq-replay only the one that can run its schedule."""
        if not self.settings.replay:
            return True
        schedules = mark.kwargs["instrument"] == Instrument.INTERLEAVINGS.value
        return schedules and self.settings.replay.startswith(f"{requirement_id}.")

    def stores(self, temporary: Path) -> Stores:
        """Return where this process makes its stores."""
        return stores_for(self.subject, self.settings.dsn, temporary)

    def bench(self, stores: Stores) -> Bench:
        """Return a new bench; a hung call makes one unusable."""
        return Bench(
            self.subject,
            stores,
            means=self.settings.clock,
            call_limit=self.settings.call_timeout,
            show=self.show,
            evidence=self.settings.report,
        )

    # --- after the tests --------------------------------------------------------------------------------------------

    def known_reason(self, requirement_id: str) -> str:
        """Return why a failure of the requirement is known today, "" if it is not."""
        entry = self.known.get(requirement_id)
        return "" if entry is None or entry.expired(self.today) else str(entry)

    def report(self) -> RunReport:
        """Return what the run comes to so far."""
        facts = self.facts
        if any(one.finding.explored.endswith(SHIFTED) for one in self.judged):
            facts = replace(facts, clock=f"{facts.clock}, on the server stored times shifted")
        return build_report(facts, self.plan, self.judged)

    def reasons(self, report: RunReport) -> list[str]:
        """Return what fails the run beside failed tests."""
        return gate.reasons(report, self.settings, self.known.values(), self.today)

    def certificate(self, config: pytest.Config) -> Certificate:
        """Return what the report rests on: sources, conditions, and what was left out."""
        from pytest_taskq.certificate.certificate import certify

        return certify(
            self.subject.adapter.__module__,
            config.rootpath,
            overridden=overridden(config, self.settings),
            known=in_force(self.known),
            began=self.began,
            ended=datetime.now(UTC),
        )

    @cached_property
    def facts(self) -> Facts:
        """What is graded and how it can be repeated. Raises UsageError if the clock that was asked for is not there."""
        return Facts(
            kit=pytest_taskq.__version__,
            contract=CONTRACT_VERSION,
            adapter=self.subject.name,
            backend=self._backend(),
            clock=self._clock(),
            seed=self.settings.seed,
            effort=self.settings.effort,
            roles={role: self.subject.role_summary(role) for role in Role},
        )

    def _backend(self) -> str:
        if not self.subject.shared_schema:
            return "standalone"
        dsn = self.settings.dsn or ""
        return f"postgresql {version_of(dsn)}" if dsn.startswith(SCHEMES) else f"sqlite {sqlite3.sqlite_version}"

    def _clock(self) -> str:
        try:
            with VirtualClock(means=self.settings.clock) as clock:
                return clock.means
        except ClockUnavailableError as error:
            raise pytest.UsageError(f"--taskq-clock={self.settings.clock} is not possible here: {error}") from error

    @property
    def plan(self) -> Plan:
        """What there is to judge."""
        checks: dict[str, dict[str, int]] = {}
        instruments: dict[str, set[Instrument]] = {}
        for check, count in shipped_checks().items():
            checks.setdefault(check.requirement, {})[check.name] = count
            instruments.setdefault(check.requirement, set()).add(check.instrument)
        graded = [one for one in REQUIREMENTS.values() if self.subject.graded(one)]
        return Plan(
            graded=[one for one in graded if self.subject.not_offered(one) is None],
            reference_alone=len(set(checks) - {one.id for one in graded}),
            checks=checks,
            instruments={name: frozenset(some) for name, some in instruments.items()},
        )


RUN = pytest.StashKey[ConformanceRun]()


def _refuse_broken_suite() -> None:
    try:
        shipped_checks()
    except Exception as error:
        raise pytest.UsageError(
            f"The conformance suite cannot be loaded ({type(error).__name__}: {error}), so nothing can be graded. "
            "This installation of pytest-taskq is not whole, or something stands in its place: install it again."
        ) from error


def load_subject(adapter: str | None, root: Path) -> Subject:
    """Return the subject that is named. Raises UsageError saying why it cannot be graded, and what to do."""
    try:
        subject = Subject.load(adapter)
    except AdapterError as error:
        raise pytest.UsageError(f"{error}{_path_hint(adapter or '', root)}") from error
    except SystemExit as error:
        raise pytest.UsageError(
            f"The adapter {adapter!r} cannot be imported: it raised SystemExit({error.code!r})."
        ) from error
    if not subject.own:
        raise pytest.UsageError(
            f"The adapter {adapter!r} overrides no method of the contract, so there is nothing of yours to grade. "
            "Override the methods that your team writes, under the names of pytest_taskq.QueueAdapter."
        )
    return subject


def _path_hint(adapter: str, root: Path) -> str:
    top = adapter.partition(":")[0].partition(".")[0]
    for folder in dict.fromkeys((root, Path.cwd())):
        if top and ((folder / f"{top}.py").is_file() or (folder / top).is_dir()):
            return (
                f"\nIf it was not found: {top} is in {folder}, which pytest does not put on sys.path by itself. Add "
                'pythonpath = ["."] to the pytest configuration, install your package, or run "python -m pytest".'
            )
    return ""


def _refuse_both_doors(marked: Sequence[pytest.Item]) -> None:
    imported = next((item for item in marked if not is_joined(item)), None)
    if imported is None or not any(is_joined(item) for item in marked):
        return
    place = imported.nodeid.partition("::")[0]
    door, way = f"an import of pytest_taskq.conformance in {place}", "import"
    if imported.path.resolve().parent == suite_folder().resolve():
        door, way = f"the path of the suite itself ({place})", "path"
    raise pytest.UsageError(
        f"The suite came in through both doors: --taskq-conformance, and {door}. Every check would run twice; "
        f"leave out the option or the {way}."
    )

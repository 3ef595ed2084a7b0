"""The hooks of a session that grades; registered when the suite takes part, so that others pay nothing."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from pytest_taskq.grading import judging
from pytest_taskq.grading.benchmark_folder import folder_to_come, remove_if_empty
from pytest_taskq.grading.check import CHECK
from pytest_taskq.grading.collection import SuiteFolder, own_arguments, suite_class
from pytest_taskq.grading.gate import exit_status
from pytest_taskq.grading.run import RUN, ConformanceRun
from pytest_taskq.refusal import reported
from pytest_taskq.reports import terminal
from pytest_taskq.reports.json_file import write_json

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from pytest_taskq.options import Settings
    from pytest_taskq.reports.run_report import RunReport
    from pytest_taskq.subject import Bench


class ConformanceHooks:
    """Translates between pytest and one ``ConformanceRun``; ``joins`` is whether the suite came by the option."""

    def __init__(self, config: pytest.Config, settings: Settings, *, joins: bool) -> None:
        self.config = config
        self.settings = settings
        self.joins = joins
        self.is_worker = hasattr(config, "workerinput")
        self.report: RunReport | None = None
        self.written: Path | None = None
        self.reasons: list[str] = []
        # An imported suite is noticed when pytest-benchmark has made its folder: nobody knows whether it was there.
        self._unused_folder = folder_to_come(config) if joins else None

    @property
    def run(self) -> ConformanceRun:
        """The run; begun on first use, which may raise UsageError."""
        if RUN not in self.config.stash:
            self.config.stash[RUN] = ConformanceRun.begin(self.settings, self.config)
        return self.config.stash[RUN]

    # --- beginning and collecting -----------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Refuse what cannot be graded before anything is collected, or workers are started."""
        if not self.is_worker:
            _ = self.run.facts

    def pytest_report_header(self) -> str:
        """Say what is graded."""
        return self._fitted(terminal.Line(terminal.header(self.run.facts)))

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Join the suite to whatever pytest collects; arguments, testpaths and rootdir stay the user's."""
        report = yield
        if self.joins and isinstance(collector, pytest.Session) and report.passed:
            report.result = [*report.result, SuiteFolder.joined_to(collector)]
        return report

    def pytest_pycollect_makeitem(self, collector: pytest.Collector, name: str, obj: object) -> pytest.Collector | None:
        """Make the suite's own class nodes."""
        return suite_class(collector, name, obj)

    def select(self, items: list[pytest.Item]) -> None:
        """Choose what is graded. A worker of pytest-xdist cannot raise UsageError, so it reports one."""
        try:
            dropped = self.run.select(items)
        except pytest.UsageError as error:
            if not self.is_worker:
                raise
            items.clear()
            self.config.hook.pytest_collectreport(report=reported(error))
        else:
            if dropped:
                self.config.hook.pytest_deselected(items=dropped)

    # --- running ----------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """Run a test of the suite its own way."""
        check = pyfuncitem.stash.get(CHECK, None)
        if check is None:
            return None
        bench = cast("Bench | None", pyfuncitem.funcargs.get("taskq_bench"))
        check.run(pyfuncitem.obj, own_arguments(pyfuncitem), bench)
        return True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Turn an outcome into findings."""
        report = yield
        judging.judge(self.run, item, call, report)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect the findings where the run is judged."""
        if not self.is_worker:
            judging.count(self.run, report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, str] | None:  # noqa: ANN401 - a test or a collection report
        """Say ERROR for what was not run, and why for what was skipped."""
        return judging.status_word(report)

    # --- ending -----------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Judge the run."""
        if self.is_worker or RUN not in self.config.stash or self.config.option.collectonly:
            return
        self.report = self._with_coverage(self.run.report())
        self.reasons = self.run.reasons(self.report)
        session.exitstatus = exit_status(session, excused_failures=self.run.excused, reasons=self.reasons)
        if self.settings.report:
            self.written = write_json(self.report, self.settings.report)

    def _with_coverage(self, report: RunReport) -> RunReport:
        if not self.config.pluginmanager.hasplugin("_cov"):
            return report
        from pytest_taskq.grading.coverage import coverage_of

        return replace(report, coverage=coverage_of(self.config, self.run.subject.adapter.__module__))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show what it came to."""
        if self.report is None:
            return
        if terminalreporter.config.get_verbosity() >= 0 and (self.report.requirements or self.reasons):
            terminalreporter.write_sep("=", "taskq conformance")
            if not self.joins:  # then there was nothing to say in the header of the session
                terminalreporter.write_line(self.pytest_report_header())
            for line in terminal.lines(self.report, self.written):
                terminalreporter.write_line(self._fitted(line), **line.markup)
            if self.run.excused and not self.reasons:
                terminalreporter.write_line("a failed SHOULD does not fail the run; under --taskq-strict it does")
        for reason in self.reasons:
            terminalreporter.write_line(self._fitted(terminal.Line(f"exit code 1: {reason}")), red=True)

    def pytest_unconfigure(self) -> None:
        """Leave nothing in the user's folder that nobody asked for."""
        if not self.is_worker:
            remove_if_empty(self._unused_folder)

    def _fitted(self, line: terminal.Line) -> str:
        text = line.wrapped(self._columns)
        return terminal.fitted(text, getattr(sys.__stdout__, "encoding", None))

    @property
    def _columns(self) -> int | None:
        """The width of the terminal; None for a file or a pipe, whose reader looks for whole lines."""
        reporter = self.config.pluginmanager.getplugin("terminalreporter")
        shown = getattr(reporter, "isatty", False) or "COLUMNS" in os.environ
        return self.config.get_terminal_writer().fullwidth if shown else None

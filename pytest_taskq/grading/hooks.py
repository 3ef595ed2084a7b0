"""The hooks of a session that grades; registered when the suite takes part, so that others pay nothing."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from pytest_taskq.grading import github_output, judging
from pytest_taskq.grading.benchmark_folder import folder_to_come, remove_if_empty
from pytest_taskq.grading.benchmarks import hand_over
from pytest_taskq.grading.check import CHECK
from pytest_taskq.grading.collection import SuiteFolder, own_arguments, suite_class
from pytest_taskq.grading.columns import columns_of, send_columns
from pytest_taskq.grading.gate import exit_status
from pytest_taskq.grading.known import send_known_failures
from pytest_taskq.grading.run import RUN, ConformanceRun
from pytest_taskq.grading.status_line import on_terminal
from pytest_taskq.refusal import reported
from pytest_taskq.reports import terminal
from pytest_taskq.reports.badge import NAME as BADGE
from pytest_taskq.reports.json_file import as_plain, write_json
from pytest_taskq.reports.latency_table import latency_lines
from pytest_taskq.reports.run_report import history_files
from pytest_taskq.subject.kept_files import remove_others

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from contextlib import AbstractContextManager

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
        self.unwritten = ""
        self.reasons: list[str] = []
        # An imported suite is noticed when pytest-benchmark has made its folder: nobody knows whether it was there.
        self._unused_folder = folder_to_come(config) if joins else None
        self._status: Callable[[str], AbstractContextManager[None]] = lambda _: nullcontext()

    @property
    def run(self) -> ConformanceRun:
        """The run; begun on first use, which may raise UsageError."""
        if RUN not in self.config.stash:
            self.config.stash[RUN] = ConformanceRun.begin(self.settings, self.config)
        return self.config.stash[RUN]

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:  # noqa: ANN401 - pytest-xdist's, which may not be installed
        """Send workers the width that failures are shown at, and which failures are known."""
        send_columns(self.config, node)
        send_known_failures(self.settings.known_failures, self.config, node, self.run.today)

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

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Show on a terminal what a long check is at. Here, since what is written in a test is captured."""
        with on_terminal(self.config) as line:
            if line is not None:
                self._status, self.run.show = line.about, line.show
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """Run a test of the suite its own way."""
        check = pyfuncitem.stash.get(CHECK, None)
        if check is None:
            return None
        bench = cast("Bench | None", pyfuncitem.funcargs.get("taskq_bench"))
        try:
            with self._status(f"{check.requirement.id} {check.instrument.value}"):
                check.run(pyfuncitem.obj, own_arguments(pyfuncitem), bench)
        finally:
            if check.record.timed:
                hand_over(pyfuncitem, check.requirement, check.record.timed)
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
            self.written = self._write(self.report, self.settings.report)

    def _write(self, report: RunReport, folder: Path) -> Path:
        """Write every view, and return the one to open. A view that cannot be made is said, and fails no run.

        What an earlier run of the kit left in the folder, and this report does not rest on, is removed.
        """
        from pytest_taskq.reports.html.page import write_page  # with jinja2, which only this needs

        certificate = self.run.certificate(self.config)
        written = [write_json(report, folder, certificate), folder / BADGE]
        try:
            written.insert(0, write_page(as_plain(report, certificate), folder))
        except Exception as error:  # noqa: BLE001 - whatever it is: the verdicts stand
            self.unwritten = f"report.html could not be made ({type(error).__name__}: {error}); report.json has it all"
        try:
            remove_others(folder, [*written, *map(Path, history_files(report))])
        except OSError as error:
            self.unwritten = f"what an earlier run left in {folder} could not be removed: {error}"
        return written[0]

    def _with_coverage(self, report: RunReport) -> RunReport:
        if not self.config.pluginmanager.hasplugin("_cov"):
            return report
        from pytest_taskq.grading.coverage import coverage_of

        return replace(report, coverage=coverage_of(self.config, self.run.subject.adapter.__module__))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show what it came to."""
        if self.report is None:
            return
        verbosity, something = terminalreporter.config.get_verbosity(), self.report.requirements or self.reasons
        if verbosity >= 0 and something:
            terminalreporter.write_sep("=", "taskq conformance")
            if not self.joins:  # then there was nothing to say in the header of the session
                terminalreporter.write_line(self.pytest_report_header())
            self._write_lines(
                terminalreporter, [*self._latency(self.report), *terminal.lines(self.report, self.written)]
            )
        elif verbosity == -1 and something:  # -q; what failed stands above it
            self._write_lines(terminalreporter, terminal.result(self.report, self.written))
        if verbosity >= -1:
            if self.unwritten:
                terminalreporter.write_line(self._fitted(terminal.Line(self.unwritten)), yellow=True)
            if self.run.excused and not self.reasons:
                terminalreporter.write_line("a failed SHOULD does not fail the run; under --taskq-strict it does")
        if github_output.is_wanted(self.settings):
            self._tell_github(terminalreporter, self.report)
        for reason in self.reasons:
            terminalreporter.write_line(self._fitted(terminal.Line(f"exit code 1: {reason}")), red=True)

    def _write_lines(self, terminalreporter: pytest.TerminalReporter, lines: Iterable[terminal.Line]) -> None:
        for line in lines:
            terminalreporter.write_line(self._fitted(line), **line.markup)

    def _tell_github(self, terminalreporter: pytest.TerminalReporter, report: RunReport) -> None:
        problem = github_output.add_summary(report, self.reasons)
        for line in [*github_output.commands(self.run, report), *([problem] if problem else [])]:
            terminalreporter.write_line(terminal.fitted(line, getattr(sys.__stdout__, "encoding", None)))

    def pytest_unconfigure(self) -> None:
        """Leave nothing in the user's folder that nobody asked for."""
        if not self.is_worker:
            remove_if_empty(self._unused_folder)

    def _latency(self, report: RunReport) -> Iterator[terminal.Line]:
        """Yield the figures where they are to be shown in any case, or that there are none."""
        if self.settings.latency == "off":
            yield terminal.Line("no call was timed: --taskq-latency=off; what is judged by that alone is not selected")
        elif self.settings.latency == "on":
            yield from latency_lines(report)

    def _fitted(self, line: terminal.Line) -> str:
        text = line.wrapped(columns_of(self.config))
        return terminal.fitted(text, getattr(sys.__stdout__, "encoding", None))

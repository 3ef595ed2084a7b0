"""The pytest plugin: hooks that translate and delegate. A session that grades nothing loads nothing else of the kit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_taskq.fixtures import (
    _queue_files,
    _taskq_stores,
    queue_clock,
    queue_db,
    queue_tasks,
    run_workers,
    taskq_bench,
    taskq_budget,
    taskq_queue,
    taskq_record,
    worker_claimer,
)
from pytest_taskq.options import Settings, add_options, choose_seed
from pytest_taskq.refusal import RefusalsOfWorkers

if TYPE_CHECKING:
    from pytest_taskq.grading.hooks import ConformanceHooks

__all__ = [
    "_queue_files",
    "_taskq_stores",
    "queue_clock",
    "queue_db",
    "queue_tasks",
    "run_workers",
    "taskq_bench",
    "taskq_budget",
    "taskq_queue",
    "taskq_record",
    "worker_claimer",
]

_NAME = "taskq-conformance"
_MARKER = "taskq(requirement, instrument): a check of the task queue contract (pytest-taskq)"

# An editable installation lists no files, and pytest below 9.2 rewrites only listed ones.
pytest.register_assert_rewrite("pytest_taskq.conformance")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Read the settings, fix the seed before workers are started, and let the suite in if it was asked for."""
    config.addinivalue_line("markers", _MARKER)
    choose_seed(config)
    settings = Settings.of(config)
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(RefusalsOfWorkers(), "taskq-refusals-of-workers")
    if settings.review:
        from pytest_taskq.review.hooks import ReviewHooks

        config.pluginmanager.register(ReviewHooks(config, strict=settings.strict), "taskq-review")
    if settings.conformance:
        _activate(config, settings, joins=True)
    elif config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_ImportedSuite(config, settings), "taskq-imported-suite")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # noqa: ANN401 - pytest-xdist's, which may not be installed
    """Send the seed to a worker; pytest-xdist itself sends only what was typed."""
    node.workerinput["taskq_seed"] = node.config.option.taskq_seed


def _activate(config: pytest.Config, settings: Settings, *, joins: bool) -> ConformanceHooks:
    from pytest_taskq.grading.hooks import ConformanceHooks

    hooks = ConformanceHooks(config, settings, joins=joins)
    config.pluginmanager.register(hooks, _NAME)
    return hooks


@pytest.hookimpl(tryfirst=True)  # before -k and -m look at the items
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let the suite in where a test file imports it, and choose what of it is graded."""
    hooks = config.pluginmanager.getplugin(_NAME)
    if hooks is None and any("requirement" in mark.kwargs for item in items for mark in item.iter_markers("taskq")):
        hooks = _activate(config, Settings.of(config), joins=False)
    if hooks is not None:
        hooks.select(items)


class _ImportedSuite:
    """Notices on an xdist controller, which collects nothing, that a worker ran an imported suite."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self._config = config
        self._settings = settings

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:  # noqa: ANN401 - pytest-xdist's
        if self._settings.known_failures:
            from datetime import UTC, datetime

            from pytest_taskq.grading.known import send_known_failures

            today = datetime.now(UTC).astimezone().date()
            send_known_failures(self._settings.known_failures, self._config, node, today)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: Any) -> None:  # noqa: ANN401 - has the attribute or not
        if hasattr(report, "taskq") and not self._config.pluginmanager.hasplugin(_NAME):
            _activate(self._config, self._settings, joins=False).pytest_runtest_logreport(report)

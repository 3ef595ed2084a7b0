"""The tests of the plugin run pytest in a repository of their own."""

from __future__ import annotations

import pytest
from worker_repo import ADAPTERS, Team


@pytest.fixture
def team(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Team:
    for name in ("PYTEST_TASKQ_ADAPTER", "PYTEST_ADDOPTS", "COLUMNS", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    pytester.makepyfile(team=ADAPTERS)
    pytester.syspathinsert()
    return Team(pytester)

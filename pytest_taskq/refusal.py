"""What a worker of pytest-xdist refuses is a usage error of the session: it cannot raise one, so it reports it."""

from __future__ import annotations

import pytest

_NODE_ID = "pytest-taskq"


def reported(error: pytest.UsageError) -> pytest.CollectReport:
    """Return the report by which a worker tells its controller."""
    return pytest.CollectReport(_NODE_ID, "failed", longrepr=str(error), result=[])


class RefusalsOfWorkers:
    """Registered where there is no worker above: raises what a worker has reported."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Raise UsageError for a refusal, so that the exit code is the one of a session without workers."""
        if report.nodeid == _NODE_ID and report.failed:
            raise pytest.UsageError(str(report.longrepr))

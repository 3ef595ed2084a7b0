"""A team's repository to grade: adapters that are right or wrong in one way, and a way to run pytest there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

# In-process sessions drop what they import; what stands here is imported once.
import pytest_taskq.conformance
import pytest_taskq.grading.hooks
import pytest_taskq.instruments.generator
import pytest_taskq.model.generation
import pytest_taskq.reference_impl  # noqa: F401

if TYPE_CHECKING:
    import pytest

ADAPTERS = """
import os, signal
from pytest_taskq import QueueAdapter, StandaloneAdapter


class Right(QueueAdapter):  # ENQ-10 and ENQ-12
    def cancel_task(self, task_id):
        return self.reference.cancel_task(task_id)


class Wrong(QueueAdapter):
    def cancel_task(self, task_id):
        return True


class WrongTwice(Wrong):
    def queue_stats(self):
        return {"queued": 99}


class WrongElsewhere(Right):  # OBS-01 and OBS-03, and a cancel that ends many a program early
    cancel_task = Wrong.cancel_task

    def queue_stats(self):
        return self.reference.queue_stats()


class TellsItsClock(Right):
    def cancel_task(self, task_id):
        from pytest_taskq.clock.in_force import IN_FORCE

        with open("clocks.txt", "a") as told:
            told.write(IN_FORCE.clock.means + " ")
        return super().cancel_task(task_id)


class Killed(QueueAdapter):
    def cancel_task(self, task_id):
        os.kill(os.getpid(), signal.SIGKILL)


class CutsFractions(QueueAdapter):  # LSE-05, a SHOULD
    def claim_task(self, worker_id, capabilities, lease_seconds):
        return self.reference.claim_task(worker_id, capabilities, lease_seconds if lease_seconds > 1 else 0.5)


class Alone(StandaloneAdapter):
    def enqueue(self, type, payload, *, priority=100, delay_seconds=0.0, max_attempts=5, idempotency_key=None,
                compatibility=None):
        raise RuntimeError("not asked in these tests")

    def claim_task(self, worker_id, capabilities, lease_seconds):
        raise RuntimeError("not asked in these tests")
"""

REFERENCE = "pytest_taskq.reference_impl:Adapter"


@dataclass
class Team:
    """A repository with ``team.py`` in it."""

    pytester: pytest.Pytester

    def grade(self, adapter: str, *options: str, apart: bool = False) -> pytest.RunResult:
        """Run the suite at smoke on ``team:adapter``; in this process unless ``apart``."""
        name = adapter if ":" in adapter else f"team:{adapter}"
        caching = () if "--lf" in options or "--cache-clear" in options else ("-p", "no:cacheprovider")
        return self.pytest(
            "--taskq-conformance", f"--taskq-adapter={name}", "--taskq-effort=smoke", *caching, *options, apart=apart
        )

    def pytest(self, *options: str, apart: bool = False) -> pytest.RunResult:
        """Run pytest."""
        if apart:
            return self.pytester.runpytest_subprocess(*options, timeout=60)
        return self.pytester.runpytest_inprocess(*options)

    def report(self, adapter: str, *options: str) -> dict[str, Any]:
        """Return what the run writes to disk."""
        self.grade(adapter, "--taskq-report=out", *options)
        report: dict[str, Any] = json.loads((self.pytester.path / "out" / "report.json").read_text(encoding="utf-8"))
        return report


def said(result: pytest.RunResult) -> str:
    """Return all that a run printed."""
    return result.stdout.str() + result.stderr.str()

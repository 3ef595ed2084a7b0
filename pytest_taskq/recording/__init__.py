"""Histories of real processes: a crew of workers on one store, each call written down before and after it is made."""

from __future__ import annotations

from pytest_taskq.recording.crew import Crew, CrewError, Job

__all__ = ["Crew", "CrewError", "Job"]

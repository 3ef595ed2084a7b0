"""Properties of a test case in the JUnit file; short plain texts, because strict validators refuse others."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_taskq.contract import Requirement, Verdict


def properties(requirement: Requirement, verdict: Verdict, seed: int) -> list[tuple[str, str]]:
    """Return what one check adds to its test case."""
    return [
        ("taskq.requirement", requirement.id),
        ("taskq.role", requirement.role.value),
        ("taskq.verdict", verdict.value),
        ("taskq.seed", str(seed)),
    ]

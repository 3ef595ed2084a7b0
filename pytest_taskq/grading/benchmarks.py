"""What was timed, handed to pytest-benchmark: its tables, files and comparisons are the users' way from run to run.

Nothing of a verdict depends on it. Its own fixture calls a function again and again, which a queue that is emptied by
its calls does not bear, and in a disabled session it passes without a number; so only the samples are handed over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pytest

    from pytest_taskq.contract import Requirement


@dataclass
class _Timed:
    """What pytest-benchmark reads of a fixture of its own."""

    name: str
    fullname: str
    group: str | None = None
    param: str | None = None
    params: dict[str, Any] | None = None
    extra_info: dict[str, Any] = field(default_factory=dict)
    cprofile_stats: None = None
    has_error: bool = False


def hand_over(item: pytest.Item, requirement: Requirement, timed: Mapping[str, Sequence[float]]) -> None:
    """Add the samples of each call to the session of pytest-benchmark, if it is there to do something with them.

    It is not where it is disabled, and where nothing was asked of it: its table alone would say what ours says.
    """
    session = getattr(item.config, "_benchmarksession", None)
    if session is None or session.disabled or session.skip or not any(getattr(session, one, None) for one in _ASKED):
        return
    from pytest_benchmark import stats

    make: Any = stats.Metadata
    for call, seconds in timed.items():
        name = f"{requirement.id} {call}"
        # Not the node id: that of an imported suite is another one than that of the option, and files should compare.
        shown = _Timed(name, f"pytest_taskq/{name}", extra_info={"requirement": requirement.id, "call": call})
        metadata = make(shown, iterations=1, options=_OPTIONS)
        for one in seconds:
            metadata.update(one)
        session.benchmarks.append(metadata)


_ASKED = ("save", "autosave", "json", "compare", "compare_fail", "histogram", "only", "verbose")
_OPTIONS: Mapping[str, Any] = {
    "disable_gc": True,
    "timer": "perf_counter",
    "min_rounds": 1,
    "max_time": 0.0,
    "min_time": 0.0,
    "warmup": True,
}

"""Short programs that bring about what each requirement is about, so that no verdict rests on luck.

They run first at every effort; what Hypothesis generates comes on top. Adding one is a line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.model.scenarios import claiming, enqueueing, finishing, leases, scheduling, upkeep

if TYPE_CHECKING:
    from pytest_taskq.model.calls import Program

SCENARIOS: dict[str, tuple[Program, ...]] = {
    name: programs
    for concern in (enqueueing, claiming, leases, finishing, scheduling, upkeep)
    for name, programs in concern.SCENARIOS.items()
}

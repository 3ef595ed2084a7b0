"""The executable specification: for each call, which answers and which changes the contract allows.

It is a relation, not a function: where the contract leaves a choice (any due task may be claimed, a backoff lies in a
window, a claim may or may not take back what is over) the model accepts each and goes on from what was chosen.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pytest_taskq.model.state import State

if TYPE_CHECKING:
    from pytest_taskq.contract import Promises
    from pytest_taskq.model.state import Milliseconds


class Model:
    """State, what has been witnessed, and whom to blame for a change that the last call should not have made.

    ``witnessed`` counts, per requirement, how often its rule decided something; a run in which a requirement was never
    witnessed says nothing about it. ``blame`` maps a field of a row ("*": any other) to requirement ids. ``returned``
    are the tasks that the last call gave back. ``claims_reclaim``: nothing but a claim takes back what is over.
    ``reference``: methods that are not the team's, and so do not keep what the team promises beyond the defaults.
    """

    def __init__(
        self,
        promises: Promises,
        start: Milliseconds,
        *,
        leases: bool = True,
        claims_reclaim: bool = False,
        reference: frozenset[str] = frozenset(),
    ) -> None:
        self.state = State(promises, now=start, leases=leases)
        self.claims_reclaim = claims_reclaim
        self.reference = reference
        self.returned: list[Any] = []
        self.witnessed: Counter[str] = Counter()
        self.blame: dict[str, frozenset[str]] = {}

    def witness(self, *requirements: str) -> None:
        """Count that the rules of these requirements decided something."""
        self.witnessed.update(requirements)

    def fails_over_leases(self, method: str | None) -> bool:
        """Whether ``method`` ends a task whose lease is over, where others put it back."""
        return self.state.promises.lease_over == "fail" and method not in self.reference

    def blamed(self, field: str) -> frozenset[str]:
        """Return the requirements that an unexpected value of ``field`` breaks after the last call."""
        return self.blame.get(field) or self.blame.get("*", frozenset())

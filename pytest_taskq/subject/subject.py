"""What is under test: an adapter class, and what of it is graded, promised and offered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_taskq.adapter import StandaloneAdapter
from pytest_taskq.contract import METHODS, Promises, Role, SchedulingStrategy
from pytest_taskq.subject.loading import AdapterClass, is_own, load_adapter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_taskq.contract import Requirement

# A requirement about one strategy is offered only where that strategy is promised.
STRATEGY_OF = {
    "SCH-01": SchedulingStrategy.FIFO,
    "SCH-02": SchedulingStrategy.LIFO,
    "SCH-03": SchedulingStrategy.PRIORITY,
    "SCH-04": SchedulingStrategy.WEIGHTED_RANDOM,
    "SCH-05": SchedulingStrategy.WEIGHTED_RANDOM,
}


@dataclass(frozen=True, eq=False)  # what was found out about one is not known of another, were it the same class
class Subject:
    """An adapter class and the name it was loaded by."""

    name: str
    adapter: AdapterClass

    @classmethod
    def load(cls, name: str | None) -> Subject:
        """Load ``module:Class``. Raises AdapterError with what to do."""
        adapter = load_adapter(name)
        return cls(name or "", adapter)

    @property
    def import_string(self) -> str:
        """``module:Class``, by which another process finds the adapter."""
        named = f"{self.adapter.__module__}:{self.adapter.__qualname__}"
        return self.name if ":" in self.name else named

    @property
    def promises(self) -> Promises:
        """What the team promises."""
        return self.adapter.promises

    @cached_property
    def standalone(self) -> bool:
        """Whether it is a whole queue with a storage of its own."""
        return issubclass(self.adapter, StandaloneAdapter)

    @property
    def shared_schema(self) -> bool:
        """Whether the tables of the contract are there to be read and written with plain SQL."""
        return not self.standalone

    @cached_property
    def own(self) -> frozenset[str]:
        """The methods that are the team's, and so are graded."""
        return frozenset(name for name in METHODS if is_own(self.adapter, name))

    def offers(self, feature: str) -> bool:
        """Whether a method (``"cancel_task"``), argument (``"enqueue.delay_seconds"``) or feature is there."""
        return self.why_not(feature) is None

    def why_not(self, feature: str) -> str | None:
        """Return why a feature is not offered, None if it is."""
        declared = self.promises.not_offered
        method = feature.partition(".")[0]
        for name in (feature, method):
            if name in declared:
                return f"{name}: {declared[name]}"
        if feature == "shared schema" and self.standalone:
            return "the queue has a storage of its own, so there are no shared rows to look at"
        if method in METHODS and self.standalone and method not in self.own:
            return f"{method}: the adapter does not implement it"
        return None

    def graded(self, requirement: Requirement) -> bool:
        """Whether the requirement is about this team's code; a standalone queue answers for all of them."""
        return self.standalone or any(method in self.own for method in requirement.grades)

    def not_offered(self, requirement: Requirement) -> str | None:
        """Return why a graded requirement is not offered, None if it is."""
        strategy = STRATEGY_OF.get(requirement.id)
        if strategy and strategy not in self.promises.strategies:
            return f"the strategy {strategy.value} is not promised"
        graded = [method for method in requirement.grades if self.standalone or method in self.own]
        if graded and not any(map(self.offers, graded)):
            return self._first_reason(graded)
        return self._first_reason(requirement.needs)

    def _first_reason(self, features: Iterable[str]) -> str | None:
        """Return why the first of these is not offered; what the team says of one tells more than that it is absent."""
        reasons = [reason for feature in features if (reason := self.why_not(feature))]
        declared = [f"{name}: {why}" for name, why in self.promises.not_offered.items()]
        return next((reason for reason in reasons if reason in declared), next(iter(reasons), None))

    def role_summary(self, role: Role) -> str:
        """Return "graded", "partial", "reference" or "not offered" for one role."""
        methods = [method.name for method in METHODS.values() if method.role is role and not method.optional]
        own = [name for name in methods if name in self.own and self.offers(name)]
        if len(own) == len(methods):
            return "graded"
        if own:
            return "partial"
        return "not offered" if self.standalone else "reference"

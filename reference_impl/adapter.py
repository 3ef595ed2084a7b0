"""The reference graded as if it were a team's own."""

from __future__ import annotations

from typing import ClassVar

from pytest_taskq.adapter import QueueAdapter
from pytest_taskq.contract import METHODS


class Adapter(QueueAdapter):
    """The reference queue as an adapter: it overrides nothing and answers for everything."""

    owned: ClassVar[frozenset[str]] = frozenset(METHODS)

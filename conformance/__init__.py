"""The conformance suite: ``from pytest_taskq.conformance import *`` in a test file gives node ids of your own."""

from __future__ import annotations

from pytest_taskq.conformance.test_model import TestModel
from pytest_taskq.conformance.test_oracle import TestOracle
from pytest_taskq.conformance.test_query_cost import TestQueryCost

__all__ = ["TestModel", "TestOracle", "TestQueryCost"]

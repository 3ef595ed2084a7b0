"""The conformance suite: ``from pytest_taskq.conformance import *`` in a test file gives node ids of your own."""

from __future__ import annotations

from pytest_taskq.conformance.test_client import TestClient
from pytest_taskq.conformance.test_crash_points import TestCrashPoints
from pytest_taskq.conformance.test_durability import TestDurability
from pytest_taskq.conformance.test_engine import TestEngine
from pytest_taskq.conformance.test_history import TestHistory
from pytest_taskq.conformance.test_infrastructure import TestInfrastructure
from pytest_taskq.conformance.test_interleavings import TestInterleavings
from pytest_taskq.conformance.test_load import TestLoad
from pytest_taskq.conformance.test_maintenance import TestMaintenance
from pytest_taskq.conformance.test_model import TestModel
from pytest_taskq.conformance.test_oracle import TestOracle
from pytest_taskq.conformance.test_query_cost import TestQueryCost
from pytest_taskq.conformance.test_scheduling import TestScheduling
from pytest_taskq.conformance.test_timing import TestTiming
from pytest_taskq.conformance.test_weights import TestWeights

__all__ = [
    "TestClient",
    "TestCrashPoints",
    "TestDurability",
    "TestEngine",
    "TestHistory",
    "TestInfrastructure",
    "TestInterleavings",
    "TestLoad",
    "TestMaintenance",
    "TestModel",
    "TestOracle",
    "TestQueryCost",
    "TestScheduling",
    "TestTiming",
    "TestWeights",
]

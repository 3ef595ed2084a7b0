"""A bench for any adapter class."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_taskq.subject import Bench, Stores, Subject

# A process of its own imports the adapters of these tests by their modules' names.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def bench_of(tmp_path: Path) -> Callable[[type], Bench]:
    def make(adapter: type) -> Bench:
        subject = Subject(adapter.__name__, adapter)
        return Bench(subject, Stores(subject, tmp_path))

    return make

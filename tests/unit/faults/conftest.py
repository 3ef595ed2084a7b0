"""A bench for any adapter class."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pytest_taskq.subject import Bench, Stores, Subject

# A process of its own imports the adapters of these tests by their modules' names.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def server_bench_of(tmp_path: Path, postgres_server: str) -> Iterator[Callable[[type], Bench]]:
    """The same on PostgreSQL."""
    from pytest_taskq.postgres.stores import SchemaStores

    with ExitStack() as open_stores:

        def make(adapter: type) -> Bench:
            subject = Subject(adapter.__name__, adapter)
            stores = SchemaStores(subject, tmp_path, postgres_server)
            open_stores.callback(stores.close)
            return Bench(subject, stores)

        yield make


@pytest.fixture
def bench_of(tmp_path: Path) -> Callable[[type], Bench]:
    def make(adapter: type) -> Bench:
        subject = Subject(adapter.__name__, adapter)
        return Bench(subject, Stores(subject, tmp_path))

    return make

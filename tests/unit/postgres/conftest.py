from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_taskq.postgres.stores import SchemaStores
from pytest_taskq.subject import Bench, Subject


@pytest.fixture
def bench_of(postgres_database: str, tmp_path: Path) -> Iterator[Callable[[type], Bench]]:
    """Benches on schemas of the test's own, dropped at its end."""
    made: list[SchemaStores] = []

    def bench(adapter: type) -> Bench:
        subject = Subject(f"tests:{adapter.__name__}", adapter)
        made.append(SchemaStores(subject, tmp_path / str(len(made)), postgres_database))
        return Bench(subject, made[-1])

    yield bench
    for stores in made:
        stores.close()

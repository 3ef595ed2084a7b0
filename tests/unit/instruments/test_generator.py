"""Hypothesis as the kit runs it: repeatable whatever else is loaded, quick in a new thread, without traces."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers

from pytest_taskq.instruments.generator import repeatable


def drawn(examples: int = 200) -> list[str]:
    seen = []

    @seed(1)
    @settings(max_examples=examples, database=None, phases=[Phase.generate])
    @given(st.text(max_size=8))
    def note(text: str) -> None:
        seen.append(text)

    note()
    return seen


@pytest.fixture
def local_constants(monkeypatch: pytest.MonkeyPatch) -> frozenset[str]:
    """What Hypothesis would find in loaded modules."""
    found = providers.Constants()
    words = frozenset(f"word-{number}" for number in range(100))
    for word in words:
        found.add(word)
    monkeypatch.setattr(providers, "_get_local_constants", lambda: found)
    providers.CONSTANTS_CACHE.cache.clear()
    return words


def test_nothing_is_drawn_from_the_source_of_loaded_modules(local_constants: frozenset[str]) -> None:
    assert local_constants & set(drawn()), "without it Hypothesis draws from them: else this test shows nothing"
    with repeatable():
        assert not local_constants & set(drawn())


def test_hypothesis_is_as_before_afterwards(local_constants: frozenset[str]) -> None:
    before = vars(providers.HypothesisProvider)["_local_constants"]
    with repeatable():
        drawn(3)
    assert vars(providers.HypothesisProvider)["_local_constants"] is before
    assert local_constants & set(drawn())


def test_a_new_thread_collects_no_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    collections = []

    def explore() -> None:
        with repeatable():
            drawn(1)

    explore()
    monkeypatch.setattr(gc, "collect", lambda *_: collections.append(1))
    for _ in range(3):
        thread = threading.Thread(target=explore)
        thread.start()
        thread.join()
    assert not collections


def test_programs_leave_nothing_in_the_folder_of_the_user(tmp_path: Path) -> None:
    code = (
        "from hypothesis import given, seed, settings\n"
        "from pytest_taskq.instruments.generator import repeatable\n"
        "from pytest_taskq.model.generation import programs\n"
        "@seed(1)\n"
        "@settings(max_examples=300, database=None)\n"
        "@given(programs('INF-05', lambda name: True, 20))\n"
        "def explore(program): pass\n"
        "with repeatable(): explore()\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=60)
    assert list(tmp_path.iterdir()) == []

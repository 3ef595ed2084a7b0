"""Sources and the commit behind them, as they are written into a report."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from pytest_taskq.certificate.digest import digest, signed
from pytest_taskq.certificate.repository import repository_of
from pytest_taskq.certificate.sources import (
    adapter_sources,
    hashed,
    kit_sources,
    reference_sources,
    suite_sources,
)


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=30).stdout.strip()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "src" / "millwork"
    folder.mkdir(parents=True)
    for name in ("__init__.py", "engine.py", "claim.sql"):
        (folder / name).write_text(f"-- {name}\n", encoding="utf-8")
    module = ModuleType("millwork")
    module.__path__ = [str(folder)]
    monkeypatch.setitem(sys.modules, "millwork", module)
    return folder


def test_the_code_that_was_graded_is_listed_by_its_path_below_the_project(package: Path, tmp_path: Path) -> None:
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "engine.py").write_text("", encoding="utf-8")
    found = adapter_sources("millwork.taskq_adapter", tmp_path)
    assert [*found.files] == ["src/millwork/__init__.py", "src/millwork/claim.sql", "src/millwork/engine.py"]


def test_a_module_of_its_own_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "team.py").write_text("", encoding="utf-8")
    module = ModuleType("team")
    module.__file__ = str(tmp_path / "team.py")
    monkeypatch.setitem(sys.modules, "team", module)
    assert [*adapter_sources("team", tmp_path).files] == ["team.py"]


def test_code_outside_the_project_is_said_and_not_read(package: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    found = adapter_sources("millwork.taskq_adapter", tmp_path / "elsewhere")
    assert found.files == {}
    assert str(package) in found.note
    assert adapter_sources("no_such_module", tmp_path).note.endswith("but in no file")


def test_one_letter_changes_the_digest_and_a_line_end_does_not(package: Path, tmp_path: Path) -> None:
    before = adapter_sources("millwork", tmp_path).digest
    (package / "engine.py").write_bytes(b"-- engine.py\r\n")
    assert adapter_sources("millwork", tmp_path).digest == before
    (package / "engine.py").write_bytes(b"-- engine.PY\n")
    assert adapter_sources("millwork", tmp_path).digest != before


def test_a_file_that_is_renamed_changes_the_digest(package: Path, tmp_path: Path) -> None:
    before = adapter_sources("millwork", tmp_path).digest
    (package / "engine.py").rename(package / "motor.py")
    assert adapter_sources("millwork", tmp_path).digest != before


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    found = hashed([tmp_path / "gone.py"], tmp_path)
    assert (found.files, found.note) == ({}, "not readable: gone.py")


def test_suite_kit_and_reference_are_apart() -> None:
    assert "test_engine.py" in suite_sources().files
    assert "claiming.py" in reference_sources().files
    kit = kit_sources().files
    assert "plugin.py" in kit
    assert not [name for name in kit if name.startswith(("conformance/", "reference_impl/"))]


# --- the commit -------------------------------------------------------------------------------------------------------


def test_a_tree_is_clean_dirty_or_has_files_of_its_own(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a.py").write_text("1", encoding="utf-8")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    (tmp_path / "b.py").write_text("1", encoding="utf-8")
    found = repository_of(tmp_path)
    assert found is not None
    assert (found.commit, found.dirty, found.untracked) == (git(tmp_path, "rev-parse", "HEAD"), False, 1)
    (tmp_path / "a.py").write_text("2", encoding="utf-8")
    found = repository_of(tmp_path)
    assert found is not None
    assert found.dirty


def test_no_repository_no_commit_and_no_git_are_no_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert repository_of(tmp_path) is None
    git(tmp_path, "init", "-q")
    assert repository_of(tmp_path) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert repository_of(tmp_path) is None


# --- the report's own digest ------------------------------------------------------------------------------------------


def test_the_digest_is_of_the_values_not_of_their_spelling() -> None:
    report = signed({"b": [1, 2.5], "a": {"é": None}, "c": (1,)})
    assert report["digest"] == digest({"c": [1], "a": {"é": None}, "b": [1, 2.5], "digest": "anything"})
    assert report["digest"] != digest({**report, "b": [1, 2.6]})

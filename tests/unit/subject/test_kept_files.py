"""What the kit noted as its own is removed, whenever a run died; what it did not make stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_taskq.subject.kept_files import NOTES, note, noted, remove_others


def made(folder: Path, name: str) -> Path:
    """Make a file as a run does: noted, then written."""
    path = note(folder, folder / name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("ours", encoding="utf-8")
    return path


def test_what_the_report_does_not_rest_on_is_removed_and_its_empty_folder(tmp_path: Path) -> None:
    old, new = made(tmp_path, "histories/CLM-02-1.jsonl"), made(tmp_path, "report.json")
    assert remove_others(tmp_path, [new]) == [old]
    assert [path.name for path in sorted(tmp_path.iterdir())] == [NOTES, "report.json"]
    assert noted(tmp_path) == {"report.json"}


def test_what_was_not_made_by_the_kit_stays(tmp_path: Path) -> None:
    made(tmp_path, "histories/CLM-02-1.jsonl")
    theirs = tmp_path / "histories" / "CLM-02-2.jsonl"
    theirs.write_text("theirs", encoding="utf-8")
    remove_others(tmp_path, [])
    assert [*(tmp_path / "histories").iterdir()] == [theirs]


def test_a_file_of_others_under_the_name_is_not_written_over(tmp_path: Path) -> None:
    theirs = tmp_path / "CLM-02-1.jsonl"
    theirs.write_text("theirs", encoding="utf-8")
    path = made(tmp_path, theirs.name)
    assert path.name == "CLM-02-1-2.jsonl"
    assert note(tmp_path, theirs) == path, "the same run again writes over its own"
    assert theirs.read_text(encoding="utf-8") == "theirs"


@pytest.mark.parametrize("written", [True, False])
def test_a_run_that_died_before_its_report_leaves_nothing_for_good(tmp_path: Path, written: bool) -> None:
    path = note(tmp_path, tmp_path / "histories" / "CLM-02-1.jsonl")  # and then it dies, before or after it wrote
    path.parent.mkdir()
    if written:
        path.write_text('{"taskq_hist', encoding="utf-8")
    with (tmp_path / NOTES).open("a") as notes:
        notes.write('\n"histories/FIN')  # a torn line
    made(tmp_path, "report.json")
    remove_others(tmp_path, [tmp_path / "report.json"])
    assert not path.exists()
    assert noted(tmp_path) == {"report.json"}


@pytest.mark.parametrize("odd", ["../theirs", "/etc/hostname", "", 7, None, ["a"], NOTES])
def test_a_note_that_leads_out_of_the_folder_or_is_none_removes_nothing(tmp_path: Path, odd: object) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (tmp_path / "theirs").write_text("theirs", encoding="utf-8")
    (folder / NOTES).write_text(f"{json.dumps(odd)}\nnonsense\n", encoding="utf-8")
    assert noted(folder) == set()
    assert remove_others(folder, []) == []
    assert (tmp_path / "theirs").exists()


def test_what_became_a_link_or_a_folder_stays(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a").write_text("theirs", encoding="utf-8")
    for name in ("inner/a", "b", "c"):
        made(folder, name).unlink()
    (folder / "inner").rmdir()
    (folder / "inner").symlink_to(elsewhere)
    (folder / "b").symlink_to(elsewhere / "a")
    (folder / "c").mkdir()
    assert remove_others(folder, []) == []
    assert (elsewhere / "a").exists()


def test_what_cannot_be_removed_stays_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = made(tmp_path, "CLM-02-1.jsonl")

    def refused(*_: object, **__: object) -> None:
        raise PermissionError("in use")

    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(PermissionError):
        remove_others(tmp_path, [])
    assert noted(tmp_path) == {old.name}

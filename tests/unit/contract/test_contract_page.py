"""docs/contract.md says what the data says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_taskq.contract import TRANSITIONS, Requirement
from pytest_taskq.contract.requirements import REQUIREMENTS, SECTIONS, TERMS
from pytest_taskq.reports import contract_page, markdown

WRITTEN = Path(__file__).parents[3] / "docs" / "contract.md"
PAGE = contract_page.render()


def block_of(one: Requirement) -> str:
    return re.split(r"^#{2,3} ", PAGE.partition(f"### {one.id}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def test_the_written_page_is_up_to_date() -> None:
    assert WRITTEN.read_text(encoding="utf-8") == PAGE, "docs/contract.md differs from the data: run `make docs`"


def test_the_page_is_ascii_so_that_a_redirect_writes_the_same_on_every_platform() -> None:
    assert PAGE.isascii()


def test_running_the_module_prints_the_page() -> None:
    command = [sys.executable, "-m", "pytest_taskq.reports.contract_page"]
    assert subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout == PAGE


def test_every_term_and_every_step_of_a_task_is_on_the_page() -> None:
    assert all(f"- **{term}**: {meaning}" in PAGE for term, meaning in TERMS.items())
    steps = PAGE.partition("## The life of a task")[2].partition("\n## ")[0]
    assert len([line for line in steps.splitlines() if line.startswith("|")]) == len(TRANSITIONS) + 2


def test_the_sections_come_in_the_order_of_the_contract() -> None:
    assert re.findall(r"^## (.*)$", PAGE, flags=re.MULTILINE) == ["Terms", "The life of a task", *SECTIONS]


@pytest.mark.parametrize("one", REQUIREMENTS.values(), ids=lambda one: one.id)
def test_a_requirement_has_its_row_and_its_background(one: Requirement) -> None:
    (row,) = re.findall(rf"^\| \[{one.id}\]\(#{one.id.lower()}\) \|.*$", PAGE, flags=re.MULTILINE)
    assert row.endswith(f" | {one.text.replace('|', chr(92) + '|')} |")
    assert f"| {one.level} | {one.role} |" in row
    assert all(f"`{method}`" in row for method in one.grades)
    assert all(instrument in row for instrument in one.instruments)
    block = block_of(one)
    assert one.why in block
    assert all(f"- {point}\n" in block for point in one.look_at)
    assert re.findall(r"\[([^\]]+)\]\(https://github\.com/", block) == list(one.bugs)


def test_every_table_has_the_same_number_of_cells_in_each_row() -> None:
    for table in re.findall(r"(?:^\|.*\n)+", PAGE, flags=re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1


def test_a_bar_in_a_cell_does_not_end_the_cell() -> None:
    assert list(markdown.table(["x", "y"], [["a | b", "c"]]))[2:] == [r"| a \| b | c |", ""]


def test_a_bug_links_to_its_thread() -> None:
    assert contract_page._link("o/r#7") == "[o/r#7](https://github.com/o/r/issues/7)"

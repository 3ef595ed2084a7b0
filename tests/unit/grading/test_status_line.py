"""The line that says what a long check is at, on a screen of our own and by a clock of our own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest

from pytest_taskq.grading.status_line import StatusLine


@dataclass
class Screen:
    """As much of a terminal as the line needs: rows of text and a cursor."""

    columns: int = 60
    rows: list[str] = field(default_factory=lambda: [""])
    row: int = 0
    column: int = 0

    def write(self, text: str) -> None:
        for part in re.findall(r"\x1b\[\d*[AGK]|.", text, re.DOTALL):
            self._take(part)

    def _take(self, part: str) -> None:
        if part == "\n":
            self.row, self.column = self.row + 1, 0
            self.rows += [""] * (self.row + 1 - len(self.rows))
        elif part == "\r":
            self.column = 0
        elif part == "\x1b[K":
            self.rows[self.row] = self.rows[self.row][: self.column]
        elif part.endswith("A"):
            self.row -= int(part[2:-1])
        elif part.endswith("G"):
            self.column = int(part[2:-1]) - 1
        else:
            assert self.column < self.columns - 1, "the last column is where terminals differ"
            here = self.rows[self.row].ljust(self.column)
            self.rows[self.row] = here[: self.column] + part + here[self.column + 1 :]
            self.column += 1


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def line_on(screen: Screen, clock: Clock, pytest_at: int = 0) -> StatusLine:
    return StatusLine(screen.write, lambda: screen.columns, lambda: pytest_at, clock)


def test_what_is_being_done_is_shown_below_what_pytest_wrote_and_is_gone_afterwards() -> None:
    screen, clock = Screen(rows=["test_model.py ....."], column=19), Clock()
    line = line_on(screen, clock, pytest_at=19)
    with line.about("CLM-02 model"):
        clock.now += 0.5
        line.show("program 3 of 45")
        clock.now += 12
        line.show("program 12 of 45")
        assert screen.rows == ["test_model.py .....", "CLM-02 model: program 12 of 45 (12 s)"]
    assert screen.rows == ["test_model.py .....", ""]
    screen.write(".")
    assert screen.rows[0] == "test_model.py ......"


def test_it_is_written_at_most_five_times_a_second_and_not_at_all_for_what_is_soon_over() -> None:
    clock, written = Clock(), list[str]()
    line = StatusLine(written.append, lambda: 80, lambda: 0, clock)
    with line.about("CLM-02 model"):
        clock.now += 0.19
        line.show("program 1 of 45")
    assert written == []
    with line.about("CLM-02 model"):
        for _ in range(10):
            clock.now += 0.101
            line.show("program 2 of 45")
    assert len([one for one in written if "program" in one]) == 5


@pytest.mark.parametrize("columns", [20, 60, 120])
def test_it_fits_the_terminal(columns: int) -> None:
    screen, clock = Screen(columns), Clock()
    line = line_on(screen, clock)
    with line.about("CLM-02 interleavings"):
        clock.now += 3
        line.show("two claim and a third one reclaims what is over, run 1203 of at most 2000")
        assert screen.rows[1].endswith("(3 s)")


def test_nothing_is_written_where_the_cursor_may_be_in_either_of_two_lines() -> None:
    clock, written = Clock(), list[str]()
    line = StatusLine(written.append, lambda: 60, lambda: 120, clock)
    with line.about("CLM-02 model"):
        clock.now += 1
        line.show("program 1 of 45")
    assert "".join(written) == ""


def test_nothing_is_shown_that_nobody_announced() -> None:
    written = list[str]()
    line = StatusLine(written.append, lambda: 80, lambda: 0, Clock())
    line.show("program 1 of 45")
    assert written == []

"""Lines of the summary fit the terminal: what does not go on one goes on below, further in."""

from __future__ import annotations

import pytest

from pytest_taskq.reports.terminal import Line

LONG = Line(f"{'FAIL':<12} FIN-02 MUST   expected False: w1 lost attempt 1 of task 1; seen True", hanging=27)


def test_what_fits_is_left_as_it_is() -> None:
    assert LONG.wrapped(120) == LONG.wrapped(None) == LONG.text
    assert Line("role            code          passed").wrapped(80) == "role            code          passed"
    assert Line("").wrapped(80) == ""


def test_what_does_not_fit_goes_on_where_the_text_began() -> None:
    assert LONG.wrapped(60).splitlines() == [
        "FAIL         FIN-02 MUST   expected False: w1 lost attempt 1",
        "                           of task 1; seen True",
    ]


def test_a_narrow_terminal_gives_half_of_itself_to_the_text() -> None:
    first, *rest = LONG.wrapped(30).splitlines()
    assert len(rest) > 2
    assert all(len(line) <= 30 and line.startswith(" " * 15) and line[15] != " " for line in rest), rest
    assert " ".join([first, *rest]).split() == LONG.text.split()


@pytest.mark.parametrize("width", [20, 60])
def test_a_path_is_never_broken(width: int) -> None:
    path = "/a-folder/with-a-long-name/and-another-one/taskq-report/report.json"
    assert path in Line(f"report: {path}").wrapped(width).split()


def test_each_line_of_a_text_is_wrapped_by_itself() -> None:
    assert Line("one two\nthree four", hanging=2).wrapped(9).splitlines() == ["one two", "  three", "  four"]

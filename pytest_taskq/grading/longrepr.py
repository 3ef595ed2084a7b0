"""Plain text as pytest shows a failure: no frames of the kit, one line for the summary, a place in the user's code."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from _pytest._code.code import ExceptionRepr

    from pytest_taskq.subject import Subject


class Location(NamedTuple):
    """A line in a file, from 1."""

    path: str
    line: int


class _Shown(Exception):  # noqa: N818 - carries a text to pytest's own representation
    pass


def as_longrepr(text: str, message: str, place: Location) -> ExceptionRepr:
    """Return ``text`` as the representation of a failure whose short form is ``message`` at ``place``.

    Made by pytest itself, so that pytest-xdist, JUnit and annotation plugins understand it.
    """
    try:
        raise _Shown(text)  # noqa: TRY301 - pytest represents only what was raised
    except _Shown:
        representation = pytest.ExceptionInfo[_Shown].from_current().getrepr(style="value", chain=False)
    crash = representation.reprcrash
    if crash is not None:
        crash.message, crash.path, crash.lineno = message, place.path, place.line
    return representation


def place_in_adapter(subject: Subject, methods: tuple[str, ...]) -> Location:
    """Return where the team's code begins that a requirement grades: the method, else the class."""
    own = [getattr(subject.adapter, name) for name in methods if name in subject.own]
    for found in (*own, subject.adapter):
        try:
            return Location(inspect.getsourcefile(found) or "", inspect.getsourcelines(found)[1])
        except (OSError, TypeError):
            continue
    return Location(subject.name, 1)

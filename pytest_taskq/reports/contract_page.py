"""docs/contract.md is what ``render`` returns: the contract's data as one page.

``python -m pytest_taskq.reports.contract_page > docs/contract.md`` writes it anew.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pytest_taskq.contract import CONTRACT_VERSION, TRANSITIONS
from pytest_taskq.contract.bugs import address_of
from pytest_taskq.contract.requirements import REQUIREMENTS, SECTIONS, TERMS
from pytest_taskq.reports.markdown import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_taskq.contract import Requirement, Status

_INTRODUCTION = f"""\
# The contract, version {CONTRACT_VERSION}

This page is generated from `pytest_taskq/contract`. Change the data there, then run `make docs`.

{len(REQUIREMENTS)} requirements. Ids are stable: they appear in reports and in lists of known failures. A MUST that
fails, fails the run; a SHOULD is shown as loudly. A requirement is graded when the adapter overrides at least one of
the methods in the column "grades". `taskq explain ID` prints any of them.
"""


def render() -> str:
    """Return the page as Markdown in plain ASCII, the same on every machine."""
    return "\n".join([_INTRODUCTION, *_terms(), *_transitions(), *_sections()]).rstrip() + "\n"


def _terms() -> Iterator[str]:
    yield "## Terms\n"
    for term, meaning in TERMS.items():
        yield f"- **{term}**: {meaning}"
    yield ""


def _transitions() -> Iterator[str]:
    yield "## The life of a task\n"
    yield "Every step that is not in this table is illegal.\n"
    yield from table(
        ("from", "call", "to", "when"),
        ((_status(step.source), step.call, _status(step.target), step.when) for step in TRANSITIONS),
    )


def _status(status: Status | None) -> str:
    return f"`{status}`" if status else "(no row)"


def _sections() -> Iterator[str]:
    for title, requirements in SECTIONS.items():
        yield f"## {title}\n"
        yield from table(("id", "level", "role", "grades", "judged by", "requirement"), map(_row, requirements))
        for one in requirements:
            yield from _background(one)


def _row(one: Requirement) -> Sequence[str]:
    grades = ", ".join(f"`{method}`" for method in one.grades)
    return (f"[{one.id}](#{one.id.lower()})", one.level, one.role, grades, ", ".join(one.instruments), one.text)


def _background(one: Requirement) -> Iterator[str]:
    yield f"### {one.id}\n"
    yield f"{one.why}\n"
    yield "If it fails, look at:\n"
    for point in one.look_at:
        yield f"- {point}"
    yield ""
    if one.bugs:
        yield f"Real bugs of this kind: {', '.join(map(_link, one.bugs))}.\n"
    if one.mutants:
        yield f"Broken queues that it catches: {', '.join(f'`{name}`' for name in one.mutants)}.\n"


def _link(bug: str) -> str:
    return f"[{bug}]({address_of(bug)})"


if __name__ == "__main__":
    sys.stdout.write(render())

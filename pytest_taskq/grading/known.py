"""Requirements that are known to fail, each with its reason, and none of them for ever unnoticed.

The file (``taskq_known_failures`` or ``--taskq-known-failures``) has one table per requirement::

    [ENQ-05]
    reason = "keys are kept per day, the migration is under way"   # required
    issue = "https://example.org/queue/issues/17"                  # optional
    until = 2026-12-31                                             # optional: the last day it counts

Under pytest-xdist the controller alone reads the file, and tells its workers which entries count today. While one
counts, its requirement's FAIL or NOT RUN is KNOWN and does not fail the run. An entry fails the run when its day is
over, or when its requirement is PASS again.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import pytest

from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.reports.known_entry import is_open

if TYPE_CHECKING:
    from pathlib import Path

_EXAMPLE = (
    'an entry is a table such as [ENQ-05] with reason = "…", issue = "…" (optional), until = 2026-12-31 (optional)'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFailure:
    """One entry; ``until`` is the last day on which it counts."""

    requirement: str
    reason: str
    issue: str = ""
    until: date | None = None

    def expired(self, today: date) -> bool:
        """Whether its last day is over."""
        return self.until is not None and self.until < today

    def __str__(self) -> str:
        return f"{self.reason} ({self.issue})" if self.issue else self.reason


def read_known_failures(path: Path) -> dict[str, KnownFailure]:
    """Return the entries by requirement. Raises UsageError naming file, line and what to write instead."""
    try:
        text = path.read_text(encoding="utf-8")
        tables = tomllib.loads(text)
    except OSError as error:
        raise pytest.UsageError(f"The file of known failures {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise pytest.UsageError(f"The file of known failures {path} is not TOML: {error}; {_EXAMPLE}.") from error
    return {name: _entry(f"{path}, line {_line_of(name, text)}", name, table) for name, table in tables.items()}


_READ = pytest.StashKey[dict[str, KnownFailure]]()
_SENT = "taskq_known"


def known_failures(path: Path | None, config: pytest.Config) -> dict[str, KnownFailure]:
    """Return the entries by requirement, of a worker of pytest-xdist those that its controller sent it.

    Raises UsageError for a file that is wrong, also in the worker.
    """
    sent: dict[str, str] | str | None = getattr(config, "workerinput", {}).get(_SENT)
    if isinstance(sent, str):
        raise pytest.UsageError(sent)
    if sent is not None:
        return {name: KnownFailure(requirement=name, reason=reason) for name, reason in sent.items()}
    if _READ not in config.stash:
        config.stash[_READ] = read_known_failures(path) if path else {}
    return config.stash[_READ]


def send_known_failures(path: Path | None, config: pytest.Config, node: Any, today: date) -> None:  # noqa: ANN401 - pytest-xdist's, which may not be installed
    """Let a worker know the entries that count today, or what is wrong with their file."""
    sent: dict[str, str] | str
    try:
        entries = known_failures(path, config)
        sent = {name: str(entry) for name, entry in entries.items() if not entry.expired(today)}
    except pytest.UsageError as error:
        sent = str(error)
    node.workerinput[_SENT] = sent


def _line_of(name: str, text: str) -> int:
    header = re.compile(rf"""\s*\[*\s*["']?{re.escape(name)}["']?\s*[\]=.]""")
    return next((number for number, line in enumerate(text.splitlines(), 1) if header.match(line)), 1)


def _entry(where: str, name: str, table: Any) -> KnownFailure:  # noqa: ANN401 - whatever the user wrote
    if name not in REQUIREMENTS:
        near = get_close_matches(name, REQUIREMENTS, n=3)
        advice = f"did you mean {' or '.join(near)}?" if near else f"the ids go from {_ends()}"
        raise pytest.UsageError(f"{where}: {name!r} is no requirement of the contract; {advice}")
    problem = _problem(table)
    if problem:
        raise pytest.UsageError(f"{where}: {name} {problem}; {_EXAMPLE}.")
    return KnownFailure(requirement=name, **table)


def _problem(table: Any) -> str | None:  # noqa: ANN401 - whatever the user wrote
    if not isinstance(table, dict):
        return f"is {table!r}, not a table"
    unknown = sorted(set(table) - {"reason", "issue", "until"})
    if unknown:
        return f"has the unknown key {unknown[0]!r}"
    left = [key for key, value in table.items() if is_open(value)]
    if left:
        return f"still has the placeholder of {', '.join(left)}: only your team knows what belongs there"
    if not isinstance(table.get("reason"), str) or not table["reason"].strip():
        return "has no reason: say why it is known, so that somebody can end it"
    if not isinstance(table.get("issue", ""), str):
        return f"has issue = {table['issue']!r}, not a text"
    until = table.get("until")
    if until is not None and (isinstance(until, datetime) or not isinstance(until, date)):
        return f"has until = {until!r}, not a day such as 2026-12-31 (without quotes)"
    return None


def _ends() -> str:
    ids = list(REQUIREMENTS)
    return f"{ids[0]} to {ids[-1]}"

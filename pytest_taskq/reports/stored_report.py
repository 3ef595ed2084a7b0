"""A ``report.json`` read back: what comparing and verifying need of it, checked while it is read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_taskq.contract import Verdict
from pytest_taskq.reports.json_file import FORMAT, NAME

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_MAKE_ONE = f"Write one with `pytest --taskq-conformance --taskq-report=DIR` and name DIR or DIR/{NAME}."


class ReportFileError(ValueError):
    """A file is no report that this version reads; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCall:
    """The latency of one call: per pair of blocks, how many times the floor it took."""

    requirement: str
    name: str
    ratios: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRequirement:
    """One requirement of a report; ``findings`` are the verdicts of its findings."""

    id: str
    level: str
    role: str
    verdict: Verdict
    reason: str
    findings: tuple[Verdict, ...]
    calls: tuple[StoredCall, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReport:
    """A report; ``facts`` say what was graded and how, ``plain`` is the whole file."""

    requirements: Mapping[str, StoredRequirement]
    not_selected: frozenset[str]
    waiting: frozenset[str]
    facts: Mapping[str, str]
    plain: Mapping[str, Any]

    @property
    def calls(self) -> Mapping[tuple[str, str], StoredCall]:
        """The latencies by requirement and name."""
        every = (call for one in self.requirements.values() for call in one.calls)
        return {(call.requirement, call.name): call for call in every}


FACTS = ("contract", "kit", "adapter", "backend", "clock", "effort")


def read_report(place: Path) -> StoredReport:
    """Return the report at ``place``, a file or the folder that holds one. Raises ReportFileError."""
    path = place / NAME if place.is_dir() else place
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReportFileError(f"{path} cannot be read: {error.strerror or error}. {_MAKE_ONE}") from error
    except ValueError as error:
        raise ReportFileError(f"{path} is not JSON ({error}): it was cut off or is no report. {_MAKE_ONE}") from error
    try:
        return parse_report(plain)
    except ReportFileError as error:
        raise ReportFileError(f"{path} {error}") from error


def parse_report(plain: object) -> StoredReport:
    """Return the report that the JSON values of a file are. Raises ReportFileError."""
    if not isinstance(plain, dict) or "format" not in plain:
        raise ReportFileError(f'has no "format", so it is no report. {_MAKE_ONE}')
    if plain["format"] != FORMAT:
        raise ReportFileError(
            f"has the format {plain['format']!r}, and this version reads {FORMAT}: "
            "use the version of pytest-taskq that wrote it, or write it anew"
        )
    try:
        listed = [_requirement(one) for one in plain["requirements"]]
        return StoredReport(
            requirements={one.id: one for one in listed},
            not_selected=frozenset(_texts(plain.get("not_selected", ()))),
            waiting=frozenset(_texts(plain.get("waiting", {}))),
            facts={name: str(plain[name]) for name in FACTS if name in plain},
            plain=plain,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        said = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        raise ReportFileError(f"is not shaped as a report: {said}. {_MAKE_ONE}") from error


def _requirement(plain: Mapping[str, Any]) -> StoredRequirement:
    name, findings = str(plain["id"]), plain["findings"]
    return StoredRequirement(
        id=name,
        level=str(plain["level"]),
        role=str(plain["role"]),
        verdict=Verdict(plain["verdict"]),
        reason=str(plain.get("reason", "")),
        findings=tuple(Verdict(one["finding"]) for one in findings),
        calls=tuple(
            StoredCall(requirement=name, name=str(call["name"]), ratios=_positive(call.get("ratios") or ()))
            for one in findings
            for call in (one.get("details") or {}).get("latency", {}).get("calls", ())
        ),
    )


def _positive(ratios: Sequence[float]) -> tuple[float, ...]:
    """Return the ratios that have a logarithm; a floor of nothing gives none."""
    return tuple(float(ratio) for ratio in ratios if 0 < float(ratio) < float("inf"))


def _texts(some: object) -> list[str]:
    if not isinstance(some, list | dict | tuple):
        raise TypeError(f"{some!r:.80} should be a list of requirements")
    return [str(one) for one in some]

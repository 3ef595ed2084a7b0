"""One requirement as the page shows it: what it says, what was found, and what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_taskq.contract.bugs import address_of
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.reports.html.figures_view import Facts, Law, Load, law_of, load_of, other_facts
from pytest_taskq.reports.html.history_view import HistoryPicture, history_picture
from pytest_taskq.reports.html.latency_view import CallFigures, call_figures
from pytest_taskq.reports.html.schedule_view import SchedulePicture, schedule_picture
from pytest_taskq.reports.html.words import WORDS, Word, seconds, word_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_taskq.reports.html.plain import Plain

_SHOWN_WHOLE = ("FAIL", "NOT RUN")


@dataclass(frozen=True, slots=True)
class CallRow:
    """A line of the calls that led there."""

    kind: str
    number: str
    text: str
    outcome: str


@dataclass(frozen=True, slots=True)
class FindingView:
    """What one check of an instrument found; ``key`` is part of the ids of what is drawn for it."""

    key: str
    instrument: str
    word: Word
    explored: str
    reason: str
    seconds: float
    took: str
    check: str
    evidence: str
    replay: str
    recheck: str
    expected: str
    seen: str
    calls: Sequence[CallRow]
    schedule: SchedulePicture | None
    history: HistoryPicture | None
    latency: Sequence[CallFigures]
    load: Load | None
    law: Law | None
    others: Facts

    @property
    def decisive(self) -> bool:
        """Whether it is told at length."""
        return self.word.verdict in _SHOWN_WHOLE

    @property
    def measured(self) -> bool:
        """Whether it has figures that are worth looking at whatever the verdict."""
        return bool(self.latency or self.load or self.law or self.others)


@dataclass(frozen=True, slots=True)
class RequirementView:
    """All that the template shows of one requirement."""

    id: str
    anchor: str
    level: str
    role: str
    word: Word
    text: str
    why: str
    look_at: Sequence[str]
    bugs: Sequence[tuple[str, str]]
    instruments: Sequence[str]
    reason: str
    explored: str
    findings: Sequence[FindingView]

    @property
    def open(self) -> bool:
        """Whether it is unfolded when the page opens."""
        return self.word.verdict in _SHOWN_WHOLE

    @property
    def took(self) -> str:
        """How long all its checks took."""
        return seconds(sum(one.seconds for one in self.findings))


def in_order(views: Sequence[RequirementView]) -> list[tuple[Word, list[RequirementView]]]:
    """Return the requirements by verdict, what must be acted on first; in a group they keep their order."""
    words = [*WORDS, *dict.fromkeys(one.word for one in views if one.word not in WORDS)]
    groups = [(word, [one for one in views if one.word == word]) for word in words]
    return [(word, members) for word, members in groups if members]


def requirement_view(plain: Plain) -> RequirementView:
    """Return a requirement of a report; what an old report leaves out is taken from the contract."""
    name = plain["id"].text(60) or "without id"
    known = REQUIREMENTS.get(name)
    anchor = re.sub(r"[^A-Za-z0-9_.-]", "-", name)
    findings = [_finding(f"{anchor}-{number}", one, plain) for number, one in enumerate(plain["findings"], 1)]
    return RequirementView(
        id=name,
        anchor=anchor,
        level=plain["level"].text(20),
        role=plain["role"].text(40),
        word=word_of(plain["verdict"].text(20)),
        text=plain["text"].text(4_000) or (known.text if known else ""),
        why=plain["why"].text(4_000) or (known.why if known else ""),
        look_at=plain["look_at"].texts(1_000) or (list(known.look_at) if known else []),
        bugs=[(bug, address_of(bug)) for bug in plain["bugs"].texts(200) or (list(known.bugs) if known else [])],
        instruments=plain["instruments"].texts(40) or ([*known.instruments] if known else []),
        reason=plain["reason"].text(4_000),
        explored=plain["explored"].text(8_000),
        findings=sorted(findings, key=lambda one: not one.decisive),
    )


def _finding(key: str, plain: Plain, requirement: Plain) -> FindingView:
    details, verdict, violation = plain["details"], plain["finding"].text(20), plain["details"]["violation"]
    # Reports from before findings had their own evidence kept that of the first with the requirement's verdict.
    first = next((one for one in requirement["findings"] if one["finding"].text(20) == verdict), None)
    old = requirement if first == plain and not plain["evidence"].there and verdict in _SHOWN_WHOLE else plain
    return FindingView(
        key=key,
        instrument=plain["instrument"].text(40),
        word=word_of(verdict),
        explored=plain["explored"].text(8_000),
        reason=plain["reason"].text(4_000),
        seconds=plain["seconds"].number() or 0.0,
        took=seconds(plain["seconds"].number()),
        check=plain["check"].text(300),
        evidence=old["evidence"].text(),
        replay=old["replay"].text(4_000),
        recheck=plain["recheck"].text(4_000),
        expected=violation["expected"].text(4_000),
        seen=violation["seen"].text(8_000),
        calls=[*map(_call, details["calls"])],
        schedule=schedule_picture(details["schedule"]),
        history=history_picture(details["history"]),
        latency=[*map(call_figures, details["latency"]["calls"])],
        load=load_of(details["load"]),
        law=law_of(details["law"]),
        others=other_facts(details),
    )


def _call(plain: Plain) -> CallRow:
    return CallRow(
        kind=plain["kind"].text(20),
        number=plain["number"].text(12),
        text=plain["text"].text(2_000),
        outcome=plain["outcome"].text(2_000),
    )

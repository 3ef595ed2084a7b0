"""Load, the law of the weighted draw, and whatever other figures a finding carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_taskq.reports.html.words import figures, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_taskq.reports.html.plain import Plain

Facts = list[tuple[str, str]]
_DRAWN_ELSEWHERE = frozenset({"latency", "load", "law", "schedule", "history", "calls", "violation"})


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole; ``percent`` is its bar."""

    name: str
    percent: float
    text: str


@dataclass(frozen=True, slots=True)
class Load:
    """A load run."""

    facts: Facts
    shares: Sequence[Share]


@dataclass(frozen=True, slots=True)
class Weight:
    """One weight of the draw: what the law expects and what was seen; the bars are percents of the larger of all."""

    weight: str
    expected: str
    seen: str
    ratio: str
    expected_bar: float
    seen_bar: float


@dataclass(frozen=True, slots=True)
class Law:
    """A test of the weighted draw."""

    facts: Facts
    weights: Sequence[Weight]


def load_of(load: Plain) -> Load | None:
    """Return ``details["load"]`` as it is shown, None if there is nothing."""
    if not load:
        return None
    shares = load["shares"].numbers()
    whole = sum(shares)
    parts = [one / whole * 100 for one in shares] if whole > 0 else []
    return Load([*_load_facts(load)], [Share(f"worker {n}", part, f"{part:.1f} %") for n, part in enumerate(parts, 1)])


def _load_facts(load: Plain) -> Iterator[tuple[str, str]]:
    per_minute, target = load["per_minute"].number(), load["target"].number()
    if per_minute is not None:
        asked = f", {figures(target)} asked for" if target is not None else ""
        yield "tasks a minute", f"{figures(per_minute)}{asked}"
    if load["reference_per_minute"].number() is not None:
        yield "the reference beside it", f"{figures(load['reference_per_minute'].number())} a minute"
    for key, name in (("workers", "workers"), ("finished", "tasks finished"), ("lock_errors", "lock errors")):
        if load[key].number() is not None:
            yield name, figures(load[key].number())
    if load["seconds"].number() is not None:
        yield "for", seconds(load["seconds"].number())
    if load["think"].number():
        yield "work on each task", seconds(load["think"].number())


def law_of(law: Plain) -> Law | None:
    """Return ``details["law"]`` as it is shown, None if there is nothing."""
    if not law:
        return None
    classes = [(one, one["expected"].number() or 0.0, one["seen"].number() or 0.0) for one in law["classes"]]
    most = max((value for _, *both in classes for value in both), default=0.0)
    percent = 100 / most if most > 0 else 0.0
    weights = [
        Weight(
            weight=one["weight"].text(40),
            expected=figures(expected),
            seen=figures(seen),
            ratio=f"{seen / expected:.2f}" if expected > 0 else "",
            expected_bar=max(expected, 0.0) * percent,
            seen_bar=max(seen, 0.0) * percent,
        )
        for one, expected, seen in classes
    ]
    return Law([*_law_facts(law)], weights)


def _law_facts(law: Plain) -> Iterator[tuple[str, str]]:
    evidence, threshold = law["log10_e"].number(), law["threshold"].number()
    if evidence is not None:
        bound = f"; from 10^{figures(threshold)} on it is a FAIL" if threshold is not None else ""
        yield "evidence against the law", f"10^{evidence:.2f}{bound}"
    if law["claims"].number() is not None:
        yield "claims", figures(law["claims"].number())
    if law["excludes"]:
        yield "excluded", law["excludes"].text(400)


def other_facts(details: Plain) -> Facts:
    """Return the plain values of kinds that no picture is made for, and of the machine that was measured on."""
    found = [*_flat("", details["latency"]["environment"])]
    for kind, value in details.items():
        if kind not in _DRAWN_ELSEWHERE:
            found += _flat(kind, value)
    return found[:200]


def _flat(name: str, value: Plain) -> Iterator[tuple[str, str]]:
    nested = [*value.items()]
    for key, inner in nested:
        yield from _flat(f"{name} {key}".strip(), inner)
    if not nested and value.there:
        yield name, value.text(400) or ", ".join(value.texts(100)[:50])

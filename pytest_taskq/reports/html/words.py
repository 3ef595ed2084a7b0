"""Verdicts and quantities as the page writes them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """How a verdict looks: a name for the style sheet, and a sign, so that no colour is needed to tell it."""

    verdict: str
    style: str
    sign: str
    plural: str


# The order of the page: what must be acted on first.
WORDS = (
    Word("FAIL", "fail", "\u2717", "failed"),
    Word("NOT RUN", "notrun", "!", "not run"),
    Word("INCONCLUSIVE", "inconclusive", "?", "inconclusive"),
    Word("KNOWN", "known", "\u2248", "known to fail"),
    Word("NOT OFFERED", "notoffered", "\u2013", "not offered"),
    Word("PASS", "pass", "\u2713", "passed"),
)
_BY_NAME = {word.verdict: word for word in WORDS}


def word_of(verdict: str) -> Word:
    """Return the word of a verdict; of one that this version does not know, its own text."""
    return _BY_NAME.get(verdict) or Word(verdict, "other", "\u00b7", verdict.lower())


def seconds(value: float | None) -> str:
    """Return a length of time to three figures: ``412 µs``, ``3.21 ms``, ``1.50 s``."""
    if value is None:
        return ""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9)):
        if abs(value) >= size or unit == "ns":
            return f"{figures(value / size)} {unit}"
    return ""


def figures(value: float | None) -> str:
    """Return a number to three figures, without an exponent where that can be read."""
    if value is None:
        return ""
    if abs(value) >= 100:  # noqa: PLR2004 - from here on whole numbers have three figures
        return f"{value:,.0f}" if abs(value) < 1e15 else f"{value:.3g}"  # noqa: PLR2004 - still readable
    return f"{value:.3g}"

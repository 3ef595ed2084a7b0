"""The rules as they stand in ``docs/review.md``."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

from pytest_taskq.review.catalogue import RULES

if TYPE_CHECKING:
    from pytest_taskq.review.catalogue import Rule


def rules() -> str:
    """Return the sections of all rules, in Markdown."""
    return "\n".join(map(section, RULES.values()))


def section(rule: Rule) -> str:
    """Return what one rule says, why, and wrong and right code."""
    return (
        f"### {rule.id}\n\n{_wrapped(f'{rule.text} ({rule.level}, {rule.applies_to})')}\n\n{_wrapped(rule.harm)}\n\n"
        f"```python\n# wrong\n{rule.wrong}```\n\n```python\n# right\n{rule.right}```\n"
    )


def _wrapped(text: str) -> str:
    return fill(text, 120, break_long_words=False, break_on_hyphens=False)

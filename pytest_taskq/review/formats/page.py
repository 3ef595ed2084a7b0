"""The rules as they stand in ``docs/review.md``."""

from __future__ import annotations

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
        f"### {rule.id}\n\n{rule.text} ({rule.level}, {rule.applies_to})\n\n{rule.harm}\n\n"
        f"```python\n# wrong\n{rule.wrong}```\n\n```python\n# right\n{rule.right}```\n"
    )

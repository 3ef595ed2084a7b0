"""A failure as an entry for the file of known failures, with what only the team can say left open."""

from __future__ import annotations

_OPEN = "<fill in: "


def known_entry(requirement: str) -> str:
    """Return the entry in TOML; it is refused until each placeholder is replaced."""
    return "\n".join(
        (
            f'["{requirement}"]',
            f'reason = "{_OPEN}why it waits>"',
            f'issue = "{_OPEN}link, or no line>"',
            f'until = "{_OPEN}2026-12-31, no quotes>"',
        )
    )


def is_open(value: object) -> bool:
    """Whether a value of an entry still is a placeholder."""
    return isinstance(value, str) and _OPEN in value

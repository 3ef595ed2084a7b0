"""The calls of a check as they were made, one readable line each."""

from __future__ import annotations

from typing import Any

_LONGEST = 100
_WIDEST = 48  # so that an outcome stands on the line of its call in a terminal of 80 columns


def shown(value: object) -> str:
    """Return a value as a reader wants it: tasks by id and attempt, long values cut in the middle."""
    if hasattr(value, "get_payload_dict"):
        attempt = getattr(value, "attempts", None)
        return f"<task {value.id!r}{'' if attempt is None else f', attempt {attempt}'}>"  # type: ignore[attr-defined]  # every task has an id
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 - whatever a broken adapter returns must be shown somehow
        text = f"<{type(value).__name__} whose repr raised {type(error).__name__}>"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 20]} … {text[-15:]} ({len(text)} characters)"


def call_line(method: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> str:
    """Return ``method(a, b, key=value)``."""
    parts = [*map(shown, arguments), *(f"{name}={shown(value)}" for name, value in keywords.items())]
    return f"{method}({', '.join(parts)})"


class Transcript:
    """Numbered lines of what was called and what came back."""

    def __init__(self) -> None:
        self._lines: list[tuple[str, str]] = []

    def note(self, what: str, outcome: str = "") -> None:
        """Add a line; ``outcome`` is what the call returned or raised."""
        self._lines.append((what, outcome))

    @property
    def lines(self) -> list[str]:
        """The lines, calls aligned with their outcomes; what is longer than most does not push the others apart."""
        width = min(max((len(what) for what, outcome in self._lines if outcome), default=0), _WIDEST)
        return [
            f"{number:>3}. {what:<{width}}  -> {outcome}" if outcome else f"{number:>3}. {what}"
            for number, (what, outcome) in enumerate(self._lines, 1)
        ]

    def __len__(self) -> int:
        return len(self._lines)

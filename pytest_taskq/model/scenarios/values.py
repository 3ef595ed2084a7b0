"""Values that break queues: odd payloads and texts, capabilities that nearly fit, rows that no claim can use."""

from __future__ import annotations

from typing import Any

from pytest_taskq.model.calls import InsertRow


def nested(depth: int) -> Any:  # noqa: ANN401 - a JSON value
    """Return lists and objects nested ``depth`` deep."""
    value: Any = "bottom"
    for level in range(depth):
        value = [value] if level % 2 else {"in": value}
    return value


PAYLOADS: tuple[Any, ...] = (
    {},
    [],
    "",
    None,
    True,
    0,
    {"text": "naïve ☃ \U0001d518 \u202e \ufeff", "nul": "a\x00b", "": "empty key"},
    {"surrogate": "\ud800", "controls": "".join(map(chr, range(32)))},
    [2**53 + 1, -(2**63) - 1, 10**3999],
    [0.1, 1e308, 5e-324, -0.0, 1.0],
    {"quotes": "'\"`;--\\", "html": "</script>"},
    nested(50),
    {"large": "x" * 1_000_000},
)
ODD_TEXTS = (
    "'; DROP TABLE task_queue; --",
    'say "hi" \\ % _ * ? {} $1 :a',
    "tab\tline\nbell\x07",
    "ünïcødé ☃",
    "nul\x00after",
)
ODD_ERRORS = ("nul\x00in the error", "lone \ud800 surrogate", "e" * 1_000_000, "'; DELETE FROM task_queue; --", "")

ABLE = {"gpu": True, "memory": 8, "zone": {"b": [1, 2], "a": None}}
COMPATIBLE: tuple[dict[str, Any], ...] = ({"gpu": True}, {"memory": 8.0}, {"zone": {"a": None, "b": [1, 2]}}, {})
INCOMPATIBLE: tuple[dict[str, Any], ...] = (
    {"gpu": 1},
    {"gpu": "true"},
    {"memory": 9},
    {"zone": {"a": None}},
    {"absent": None},
    {"memory": "8"},
)


def _bad(**columns: Any) -> InsertRow:  # noqa: ANN401 - any value of a column
    return InsertRow(columns=tuple({"type": "job", "payload": "{}", **columns}.items()))


BAD_ROWS = (
    _bad(compatibility="not JSON"),
    _bad(compatibility="[1]"),
    _bad(compatibility=None),
    _bad(payload="not JSON {"),
    _bad(attempts=5),
    _bad(attempts=7, max_attempts=3),
    _bad(attempts=None),
    _bad(max_attempts=None),
    _bad(priority=None),
    _bad(run_after_utc=None),
    _bad(run_after_utc="2001-01-01T00:00:00"),
    _bad(run_after_utc="2001-01-01 00:00:00.123"),
    _bad(run_after_utc="2001-01-01T00:00:00.123456+00:00"),
)

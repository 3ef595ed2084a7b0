"""What of a command line or configuration chooses what is graded, and what fails the run: for the certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_taskq.options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pytest

    from pytest_taskq.grading.known import KnownFailure
    from pytest_taskq.options import Settings

# Option of pytest and its plugins, by its name in ``config.option``.
_CHOOSE = {
    "-k": "keyword",
    "-m": "markexpr",
    "--lf": "lf",
    "--sw": "stepwise",
    "--maxfail": "maxfail",
    "--deselect": "deselect",
    "--ignore": "ignore",
    "--ignore-glob": "ignore_glob",
    "--collect-only": "collectonly",
    "-n": "numprocesses",
    "--benchmark-disable": "benchmark_disable",
    "--benchmark-skip": "benchmark_skip",
}
# Said elsewhere in the report, or of no weight for what is graded; a DSN may hold a password.
_SAID_ELSEWHERE = frozenset(
    {"adapter", "dsn", "effort", "seed", "clock", "report", "conformance", "junit-properties", "github"}
)


def overridden(config: pytest.Config, settings: Settings) -> dict[str, object]:
    """Return the options in force that are not the defaults, as they are typed, with their values."""
    return dict([*_of_pytest(config), *_of_ours(settings)])


def _of_pytest(config: pytest.Config) -> Iterator[tuple[str, object]]:
    for flag, name in _CHOOSE.items():
        value = getattr(config.option, name, None)
        if value:
            yield flag, value if isinstance(value, bool | int) else str(value)
    chosen = [argument for argument in config.args if "::" in argument]
    if chosen:
        yield "arguments", " ".join(chosen)


def _of_ours(settings: Settings) -> Iterator[tuple[str, object]]:
    for option in OPTIONS:
        value = getattr(settings, option.name.replace("-", "_"))
        if option.name not in _SAID_ELSEWHERE and value != option.default:
            yield option.flag, value if isinstance(value, bool | int | float) else str(value)


def in_force(known: Mapping[str, KnownFailure]) -> tuple[dict[str, str], ...]:
    """Return the entries of the file of known failures."""
    return tuple(
        {
            "requirement": entry.requirement,
            "reason": entry.reason,
            "issue": entry.issue,
            "until": entry.until.isoformat() if entry.until else "",
        }
        for entry in known.values()
    )

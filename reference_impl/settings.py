"""What a database can be told, whatever the one behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

SYNCHRONOUS = ("NORMAL", "FULL", "EXTRA")
LONGEST_BUSY_TIMEOUT = 3600.0


@dataclass(frozen=True, slots=True)
class Settings:
    """``synchronous``: how hard a commit is; ``busy_timeout``: seconds to wait for a lock of others."""

    synchronous: str
    busy_timeout: float

    @classmethod
    def checked(cls, synchronous: object, busy_timeout: object, unknown: dict[str, object]) -> Self:
        """Return them. Raises ValueError naming the setting, its value and what it may be."""
        for name, value in unknown.items():
            raise ValueError(f"unknown setting {name}={value!r}; there are synchronous and busy_timeout")
        return cls(_checked_synchronous(synchronous), _checked_busy_timeout(busy_timeout))


def _checked_synchronous(value: object) -> str:
    if not isinstance(value, str) or value.upper() not in SYNCHRONOUS:
        raise ValueError(f"synchronous must be one of {', '.join(SYNCHRONOUS)}, got {value!r}")
    return value.upper()


def _checked_busy_timeout(value: object) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= LONGEST_BUSY_TIMEOUT:  # type: ignore[operator] # a number by now
        raise ValueError(
            f"busy_timeout must be a number of seconds from 0 to {LONGEST_BUSY_TIMEOUT:.0f}, got {value!r}"
        )
    return float(value)  # type: ignore[arg-type]

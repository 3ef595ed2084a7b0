"""Values of a report that anybody may have written, read as what they should be, and fit to be shown."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 20_000
_MOST_ITEMS = 5_000
# Controls but tab and newline, lone surrogates, and what turns the direction of text around (Trojan Source, 2021).
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def shown(text: str, longest: int = LONGEST) -> str:
    """Return the text with what could not be seen spelled out, and cut, visibly, if it is longer than ``longest``."""
    kept = text if len(text) <= longest else f"{text[:longest]} … (cut: {len(text):,} characters)"
    return _UNSEEN.sub(_spelled, kept.replace("\r\n", "\n"))


def _spelled(found: re.Match[str]) -> str:
    code = ord(found[0])
    return chr(0x2400 + code) if code < 0x20 else f"[U+{code:04X}]"  # noqa: PLR2004 - U+2400 on are pictures of controls


@dataclass(frozen=True, slots=True)
class Plain:
    """A JSON value; what is not there, or of another kind than is asked for, is as if it were empty."""

    value: object = None

    def __getitem__(self, key: str) -> Plain:
        return Plain(self.value.get(key)) if isinstance(self.value, Mapping) else Plain()

    def __iter__(self) -> Iterator[Plain]:
        """Yield the items of a list."""
        if isinstance(self.value, list | tuple):
            yield from map(Plain, self.value[:_MOST_ITEMS])

    def __bool__(self) -> bool:
        return bool(self.value)

    @property
    def there(self) -> bool:
        """Whether there is any value."""
        return self.value is not None

    def items(self) -> Iterator[tuple[str, Plain]]:
        """Yield keys and values of an object."""
        if isinstance(self.value, Mapping):
            yield from ((shown(str(key), 200), Plain(value)) for key, value in [*self.value.items()][:_MOST_ITEMS])

    def text(self, longest: int = LONGEST) -> str:
        """Return a text, fit to be shown; a number as JSON writes it."""
        if isinstance(self.value, str):
            return shown(self.value, longest)
        return "" if self.value is None or isinstance(self.value, list | Mapping) else shown(str(self.value), longest)

    def number(self) -> float | None:
        """Return a number that can be drawn."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            return None
        try:
            number = float(self.value)
        except OverflowError:
            return None
        return number if math.isfinite(number) and abs(number) < 1e300 else None  # noqa: PLR2004 - room to reckon with it

    def whole(self) -> int | None:
        """Return a whole number."""
        number = self.number()
        return None if number is None else int(number)

    def numbers(self) -> list[float]:
        """Return the numbers of a list."""
        return [number for one in self if (number := one.number()) is not None]

    def texts(self, longest: int = LONGEST) -> list[str]:
        """Return the texts of a list."""
        return [one.text(longest) for one in self]

"""One number for a whole report: of its JSON in one spelling, without the number itself."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY = "digest"


def digest(plain: Mapping[str, Any]) -> str:
    """Return ``sha256:…`` of the values, whatever their order, indentation or escapes in the file."""
    rest = {name: value for name, value in plain.items() if name != KEY}
    return f"sha256:{sha256(json.dumps(rest, sort_keys=True, separators=(',', ':')).encode()).hexdigest()}"


def signed(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values as a reader of the file will have them, with their digest."""
    read: dict[str, Any] = json.loads(json.dumps(plain))
    return {**read, KEY: digest(read)}

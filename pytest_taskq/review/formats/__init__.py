"""How a review is shown: a module per format, each a pure function of the review."""

from __future__ import annotations

FORMATS = ("text", "json", "sarif", "github")

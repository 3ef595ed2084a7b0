"""How Sphinx makes the site of these pages: `make site`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "pytest-taskq"
html_title = "pytest-taskq"
html_theme = "furo"
html_show_copyright = False
extensions = ["myst_parser"]
myst_heading_anchors = 4

_HERE = Path(__file__).parent
_PATTERN = re.compile(r"^\S+\*\n", re.MULTILINE)


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _without_absent_pages)


def _without_absent_pages(_app: Sphinx, page: str, source: list[str]) -> None:
    """Drop each pattern of the index that no page matches, which Sphinx calls an error."""
    if page == "index":
        source[0] = _PATTERN.sub(lambda line: line[0] if any(_HERE.glob(f"{line[0].strip()}.md")) else "", source[0])

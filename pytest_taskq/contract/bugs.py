"""Where a defect that a requirement cites is told of."""

from __future__ import annotations

import re

_NAME = re.compile(r"([\w.-]+/[\w.-]+)#(\d+)", re.ASCII)


def address_of(bug: str) -> str:
    """Return the page of ``owner/repo#number``; "" for what is no such name, so that nothing else becomes a link."""
    found = _NAME.fullmatch(bug)
    # The site leads from /issues/ to /pull/ where the number is a pull request's.
    return f"https://github.com/{found[1]}/issues/{found[2]}" if found else ""

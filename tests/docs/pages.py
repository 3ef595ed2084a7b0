"""The pages of the documentation as data: their blocks of code, and what is said of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<code>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_CLAIM = re.compile(r"(?P<word>Wrong|Right)\b[^:]*:")
_REQUIREMENT = re.compile(r"\[([A-Z]{3}-\d\d)\](?: \(([a-z ]+)\))?")


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code, and the paragraph before it."""

    page: str
    line: int
    language: str
    code: str
    before: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def file(self) -> str | None:
        """The path in a comment of the first line, as `# myworker/engine.py`."""
        named = re.match(r"# (\S+\.\w+)\n", self.code)
        return named[1] if named else None

    @property
    def is_wrong(self) -> bool:
        return self.before.startswith("Wrong")

    @property
    def graded_by(self) -> tuple[tuple[str, str], ...]:
        """The requirements that the paragraph names before its first colon, each with the instrument in brackets."""
        claim = _CLAIM.match(self.before)
        return tuple(_REQUIREMENT.findall(claim[0])) if claim else ()


@cache
def pages() -> tuple[Path, ...]:
    return (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))


@cache
def blocks(language: str, page: str = "") -> tuple[Block, ...]:
    """All blocks in that language, of one page if it is named."""
    return tuple(
        block for path in pages() if page in {"", path.name} for block in _of(path) if block.language == language
    )


def _of(path: Path) -> list[Block]:
    text, found, end = path.read_text(encoding="utf-8"), [], 0
    for match in _BLOCK.finditer(text):
        before = text[end : match.start()].strip().rpartition("\n\n")[2]
        line = text.count("\n", 0, match.start()) + 2
        found.append(Block(path.name, line, match["language"], dedent(match["code"]), before))
        end = match.end()
    return found

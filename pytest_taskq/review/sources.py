"""The files to review: which they are, and what is in them."""

from __future__ import annotations

import ast
import io
import os
import re
import tokenize
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages", "build", "dist"})
# A file without any of these holds nothing that a rule speaks of, so it is parsed only if another asks for its names.
_NAMES = ("pytest_taskq", "queuedatabase", "queue_db", "sqlite", "psycopg", ".execute", "taskq:")
_SHAPES = {
    "pragma": re.compile(r"\bpragma\s"),
    "select": re.compile(r"\bselect\s[\s\S]{0,4000}?\bfrom\b"),
    "insert": re.compile(r"\binsert\s+(?:or\s+\w+\s+)?into\b"),
    "replace": re.compile(r"\breplace\s+into\b"),
    "delete": re.compile(r"\bdelete\s+from\b"),
    "update": re.compile(r"\bupdate\s+(?:\S+\s+){1,6}set\b"),
}
_MIGRATIONS = re.compile(r"_?(?:\w+_)?(?:migrations?|upgrades?)|alembic", re.IGNORECASE)
_MIGRATES = re.compile(
    r"^\s*from\s+(?:alembic\s+import\s+op|yoyo\s+import|django\.db\s+import\s+migrations)\b", re.MULTILINE
)
_TEST = re.compile(r"(?:test_.*|.*_test|conftest)\.py")


class UnreadableError(Exception):
    """A file cannot be reviewed; the text says why."""


@dataclass(frozen=True)
class Source:
    """A Python file as it was read; ``shown`` is its path as findings give it."""

    path: Path
    shown: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed file. Raises UnreadableError."""
        return parsed(self.text)

    @cached_property
    def lines(self) -> list[str]:
        """The lines as Python counts them."""
        return re.split(r"\r\n|\r|\n", self.text)

    @property
    def is_worth_reading(self) -> bool:
        """Whether it may hold SQL, or use the queue."""
        text = self.text.lower()
        if any(name in text for name in _NAMES):
            return True
        return any(word in text and shape.search(text) is not None for word, shape in _SHAPES.items())

    @property
    def is_test(self) -> bool:
        """Whether it is a test: no production code."""
        return bool(_TEST.fullmatch(self.path.name)) or not {"test", "tests"}.isdisjoint(Path(self.shown).parts)

    @property
    def is_migration(self) -> bool:
        """Whether it is a change of a schema: it runs once, while the queue rests, and names what is there then."""
        folders = Path(self.shown).parts[:-1]
        return any(map(_MIGRATIONS.fullmatch, folders)) or _MIGRATES.search(self.text) is not None

    @cached_property
    def module(self) -> str:
        """The dotted name by which it is imported."""
        names = [] if self.path.stem == "__init__" else [self.path.stem]
        folder = self.path.resolve().parent
        while (folder / "__init__.py").is_file() and folder.name:
            names.insert(0, folder.name)
            folder = folder.parent
        return ".".join(names)

    def column(self, number: int, offset: int) -> int:
        """The column, from 1 and in characters, of an offset in a line that counts bytes as the parser does."""
        text = self.lines[number - 1] if 0 < number <= len(self.lines) else ""
        return len(text.encode()[:offset].decode(errors="replace")) + 1

    def line(self, number: int) -> str:
        """The code of a line, stripped."""
        return self.lines[number - 1].strip() if 0 < number <= len(self.lines) else ""


def parsed(text: str) -> ast.Module:
    """Return the syntax tree. Raises UnreadableError saying why there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape in somebody's text is not ours to tell
            return ast.parse(text)
    except SyntaxError as error:
        raise UnreadableError(f"is no Python {_version()} can read: {error.msg} (line {error.lineno})") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise UnreadableError(f"cannot be parsed: {error}") from error


def read(path: Path, shown: str) -> Source:
    """Return the file. Raises UnreadableError for one that is no Python source."""
    if path.suffix == ".ipynb":
        raise UnreadableError("is a notebook; only .py files are read")
    try:
        content = path.read_bytes()
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        text = content.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise UnreadableError(f"is not text in the encoding that it declares (UTF-8 if none): {error}") from error
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror}") from error
    return Source(path, shown, text.removeprefix("\ufeff"))


def files_below(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield each Python file and notebook once: those named, and those in the folders named.

    Hidden folders, virtual environments, caches and what was built are left out. Raises FileNotFoundError.
    """
    seen: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"there is no file or folder {str(path)!r}")
        for file in [path] if path.is_file() else _walked(path):
            if file not in seen:
                seen.add(file)
                yield file


def _walked(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if is_looked_into(Path(root, name)))
        yield from (Path(root, name) for name in sorted(names) if name.endswith((".py", ".ipynb")))


def is_looked_into(folder: Path) -> bool:
    """Whether sources of the team may be in the folder."""
    name = folder.name
    is_other = name in SKIPPED or name.startswith(".") or name.endswith(".egg-info")
    return not is_other and not (folder / "pyvenv.cfg").is_file()


def _version() -> str:
    import sys

    return f"{sys.version_info.major}.{sys.version_info.minor}"

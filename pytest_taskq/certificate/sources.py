"""Files by their digests: of the suite, of the kit, and of the code that was graded."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest_taskq

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_KINDS = frozenset({".py", ".sql", ".html", ".css", ".js", ".j2", ".json"})
_NOT_SOURCES = frozenset({"__pycache__", "node_modules", "build", "dist"})
_MOST = 5_000  # files; a package that lies above a whole environment must not be read for minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Digests by path relative to some root, and ``note``: why there are none, or not all."""

    files: Mapping[str, str]
    note: str = ""
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        """Make one digest of all: of names and contents, whatever their order."""
        text = "".join(f"{name}\0{digest}\n" for name, digest in sorted(self.files.items()))
        object.__setattr__(self, "digest", sha256(text.encode()).hexdigest())

    def as_plain(self, *, listed: bool) -> dict[str, Any]:
        """Return JSON values, with every file or only their number."""
        files: dict[str, Any] = {"files": dict(self.files)} if listed else {"count": len(self.files)}
        return {"sha256": self.digest, **files, **({"note": self.note} if self.note else {})}


def digest_of(path: Path) -> str:
    """Return the digest of a text file; the line ends of a checkout on Windows do not change it."""
    return sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def hashed(paths: Iterable[Path], root: Path) -> Sources:
    """Return the files below ``root`` with their digests; one that cannot be read is named in the note."""
    files, unread = {}, []
    for path in paths:
        name = path.relative_to(root).as_posix()
        try:
            files[name] = digest_of(path)
        except OSError:
            unread.append(name)
    return Sources(files=files, note=f"not readable: {', '.join(unread)}" if unread else "")


def suite_sources() -> Sources:
    """Return the conformance suite as it is installed."""
    return _package("conformance")


def reference_sources() -> Sources:
    """Return the reference queue, which answers for what a team does not write."""
    return _package("reference_impl")


def kit_sources() -> Sources:
    """Return the kit without the suite and the reference."""
    package = Path(pytest_taskq.__file__).parent
    apart = {package / "conformance", package / "reference_impl"}
    return hashed((path for path in _below(package) if apart.isdisjoint(path.parents)), package)


def _package(name: str) -> Sources:
    for parent in map(Path, pytest_taskq.__path__):
        if (parent / name).is_dir():
            return hashed(_below(parent / name), parent / name)
    return Sources(files={}, note=f"{name} is not there")


def adapter_sources(module: str, root: Path) -> Sources:
    """Return what of the top package of ``module`` lies below ``root``: the code that was graded."""
    top = module.partition(".")[0]
    places = [place.resolve() for place in _places(top)]
    root = root.resolve()
    inside = [place for place in places if place.is_relative_to(root)]
    if not inside:
        where = ", ".join(map(str, places)) or "no file"
        return Sources(files={}, note=f"{top} is not below the root of the project but in {where}")
    paths = [path for place in inside for path in (_below(place) if place.is_dir() else [place])]
    found = hashed(paths[:_MOST], root)
    if len(paths) > _MOST:
        return Sources(files=found.files, note=f"the first {_MOST} of {len(paths)} files")
    return found


def _places(top: str) -> list[Path]:
    """Return the folders of a package that was imported, or the file of a module."""
    found = sys.modules.get(top)
    folders = list(getattr(found, "__path__", ()))
    file = getattr(found, "__file__", None)
    return [Path(folder) for folder in folders] or ([Path(file)] if file else [])


def _below(folder: Path) -> list[Path]:
    """Return the sources in a folder and those below it, in the order of their names."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix in _KINDS and path.is_file() and _NOT_SOURCES.isdisjoint(path.relative_to(folder).parts)
    )

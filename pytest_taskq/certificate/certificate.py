"""The certificate of a run: by which suite, of which code, under which conditions, and what was left out."""

from __future__ import annotations

import platform
import sqlite3
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from pytest_taskq.certificate.repository import repository_of
from pytest_taskq.certificate.sources import adapter_sources, kit_sources, reference_sources, suite_sources

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from pytest_taskq.certificate.repository import Repository
    from pytest_taskq.certificate.sources import Sources

_PACKAGES = ("pytest", "pytest-xdist", "pytest-benchmark", "hypothesis", "psycopg", "sqlglot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """``overridden`` are the options that choose what is graded or what is gated, where they are not the defaults."""

    suite: Sources
    kit: Sources
    reference: Sources
    adapter: Sources
    repository: Repository | None
    overridden: Mapping[str, object]
    known: tuple[Mapping[str, str], ...]
    versions: Mapping[str, str]
    began: datetime
    ended: datetime

    def as_plain(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "suite": self.suite.as_plain(listed=False),
            "kit": self.kit.as_plain(listed=False),
            "reference": self.reference.as_plain(listed=False),
            "adapter": self.adapter.as_plain(listed=True),
            "repository": self.repository.as_plain() if self.repository else None,
            "overridden": dict(self.overridden),
            "known_failures": [dict(entry) for entry in self.known],
            "versions": dict(self.versions),
            "began": self.began.isoformat(timespec="seconds"),
            "seconds": round((self.ended - self.began).total_seconds(), 3),
        }


def certify(
    module: str,
    root: Path,
    *,
    overridden: Mapping[str, object],
    known: tuple[Mapping[str, str], ...],
    began: datetime,
    ended: datetime,
) -> Certificate:
    """Return the certificate of a run that graded the adapter in ``module``, of the project at ``root``."""
    return Certificate(
        suite=suite_sources(),
        kit=kit_sources(),
        reference=reference_sources(),
        adapter=adapter_sources(module, root),
        repository=repository_of(root),
        overridden=overridden,
        known=known,
        versions=versions(),
        began=began,
        ended=ended,
    )


def versions() -> dict[str, str]:
    """Return the versions that a run may depend on, of those that are installed."""
    found = {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": platform.platform(),
        "machine": platform.machine(),
        "byteorder": sys.byteorder,
        "sqlite": sqlite3.sqlite_version,
    }
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found

"""Measure the reference beside the floor and its peers, and write docs/benchmarks.md.

    python -m benchmarks [--quick] [--folder DISK] [--dsn POSTGRESQL] [--only sqlite|postgres] [--docs DOCS]

``--quick`` measures next to nothing in some seconds: enough to see that it runs, too little to believe. ``--only``
measures one part and keeps the figures of the other, which are of another run then.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import postgres
from .bars import judged
from .figures import FULL_PLAN, QUICK_PLAN, measured
from .pictures import pictures
from .tables import page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).parents[1]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write, and say which bars are missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="measure next to nothing")
    parser.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir()), help="where the databases are made; must be a disk"
    )
    parser.add_argument("--dsn", help="the PostgreSQL server; else the environment's or a local one that answers")
    parser.add_argument("--only", choices=("sqlite", "postgres"), help="measure this part and keep the other's figures")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where the page and the pictures go")
    chosen = parser.parse_args(arguments)
    began = time.monotonic()

    def tell(text: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {text}", file=sys.stderr, flush=True)

    if chosen.only == "postgres" and not _figures(chosen.docs).exists():
        parser.error(f"{_figures(chosen.docs)} is not there, so no figures of SQLite to keep: leave --only out")
    figures = _renewed(chosen, tell)
    written(figures, chosen.docs)
    if why := figures["postgres"].get("skipped"):
        tell(f"PostgreSQL was not measured: {why}")
    missed = [bar for bar in judged(figures) if not bar.met]
    for bar in missed:
        print(f"missed: {bar.text}: {bar.measured:,.2f}, allowed {bar.allowed:g}")
    tell(f"{len(judged(figures)) - len(missed)} bars met, {len(missed)} missed; see {chosen.docs / 'benchmarks.md'}")


def _renewed(chosen: argparse.Namespace, tell: Callable[[str], None]) -> dict[str, Any]:
    """Return the figures of this run, and those that are kept."""
    plan = QUICK_PLAN if chosen.quick else FULL_PLAN
    figures: dict[str, Any] = {"postgres": {"skipped": "it was not asked for"}}
    if chosen.only is not None and _figures(chosen.docs).exists():
        figures |= json.loads(_figures(chosen.docs).read_text(encoding="utf-8"))
    if chosen.only != "postgres":
        figures |= measured(plan, chosen.folder, tell)
    if chosen.only != "sqlite":
        figures["postgres"] = postgres.measured(plan, chosen.dsn, tell)
    return figures


def written(figures: dict[str, Any], docs: Path) -> None:
    """Write the page, the pictures and the figures."""
    beside = docs / "benchmarks"
    beside.mkdir(parents=True, exist_ok=True)
    _figures(docs).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    for name, picture in pictures(figures):
        (beside / f"{name}.svg").write_text(picture, encoding="utf-8")
    (docs / "benchmarks.md").write_text(page(figures), encoding="utf-8")


def _figures(docs: Path) -> Path:
    return docs / "benchmarks" / "figures.json"


if __name__ == "__main__":
    main()

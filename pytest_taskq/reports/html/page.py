"""The page: one file that asks nothing of the network, whatever the report holds."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pytest_taskq.reports.html.overview import overview_of
from pytest_taskq.reports.html.plain import Plain
from pytest_taskq.reports.html.requirement_view import in_order, requirement_view
from pytest_taskq.reports.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jinja2 import Template

NAME = "report.html"
_TEMPLATES = files(__package__) / "templates"


def write_page(report: Mapping[str, Any], folder: Path) -> Path:
    """Write the page of what ``report.json`` holds to ``folder`` and return its path."""
    return write_whole(folder / NAME, render(report))


def render(report: Mapping[str, Any]) -> str:
    """Return the page of what ``report.json`` holds; a report of another version shows what it has."""
    plain = Plain(report)
    requirements = [requirement_view(one) for one in plain["requirements"]]
    style, script = _source("style.css"), _source("script.js")
    return _template().render(
        overview=overview_of(plain, requirements),
        groups=in_order(requirements),
        requirements=requirements,
        style=style,
        script=script,
        policy=(
            f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
            "base-uri 'none'; form-action 'none'"
        ),
    )


def _source(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """Return what the page's policy knows an inline style or script by: no other one takes effect."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _template() -> Template:
    # Imported here: a run that writes no report does not pay for it.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("pytest_taskq.reports.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")

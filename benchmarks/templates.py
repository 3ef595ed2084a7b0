"""The templates beside this file."""

from __future__ import annotations

from pathlib import Path


def rendered(template: str, **values: object) -> str:
    """Return the template with the values in it; an unknown name in the template is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=template.endswith(".svg.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(**values)

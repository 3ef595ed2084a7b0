"""The lines that make an adapter for a role, for who has none yet."""

from __future__ import annotations

from pytest_taskq.contract import METHODS, Method, Role

_DEFAULTS = {
    "priority": "100",
    "delay_seconds": "0.0",
    "max_attempts": "5",
    "idempotency_key": "None",
    "compatibility": "None",
    "retry": "True",
}


def beginning(role: Role) -> str:
    """Return a module with an adapter whose methods of ``role`` are there to be replaced, and how it is named."""
    methods = [one for one in METHODS.values() if one.role is role and not one.optional]
    code = "\n".join(_method(one) for one in methods)
    return f"""# myworker/taskq_adapter.py
from pytest_taskq import QueueAdapter


class Adapter(QueueAdapter):
{code}
# pyproject.toml
# [tool.pytest.ini_options]
# pythonpath = ["."]  # where your package is, unless it is installed
# taskq_adapter = "myworker.taskq_adapter:Adapter"
"""


def _method(method: Method) -> str:
    if method.name == "open_database":  # its settings are the infrastructure's own
        return _body("open_database", "self, **settings", "**settings")
    keywords = [f"{name}={_DEFAULTS[name]}" for name in method.keywords]
    taken = ", ".join(["self", *method.parameters, *(["*", *keywords] if keywords else [])])
    given = ", ".join([*method.parameters, *(f"{name}={name}" for name in method.keywords)])
    return _body(method.name, taken, given)


def _body(name: str, taken: str, given: str) -> str:
    return f"    def {name}({taken}):\n        return super().{name}({given})  # your code in its place\n"

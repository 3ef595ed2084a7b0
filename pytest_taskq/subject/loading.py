"""From ``module:Class`` to an adapter class, or to an error that says what to do."""

from __future__ import annotations

import inspect
import traceback
from functools import reduce
from importlib import import_module

from pytest_taskq.adapter import QueueAdapter, StandaloneAdapter
from pytest_taskq.contract import METHODS, Method, Promises

AdapterClass = type[QueueAdapter] | type[StandaloneAdapter]

THREE_WAYS = (
    "Name it in one of three ways: --taskq-adapter=module:Class on the command line, the environment variable "
    'PYTEST_TASKQ_ADAPTER, or taskq_adapter = "module:Class" in the pytest configuration. There is no default: '
    "a run that graded the reference instead of your code would pass for everybody."
)


class AdapterError(Exception):
    """The adapter cannot be loaded or is not one; the text is for the user."""


def load_adapter(name: str | None) -> AdapterClass:
    """Return the class that ``name`` (``package.module:Class``) names. Raises AdapterError saying why it cannot."""
    if not name:
        raise AdapterError(f"No adapter is given, so there is nothing to grade. {THREE_WAYS}")
    module_name, colon, path = name.partition(":")
    if not (module_name and colon and path):
        raise AdapterError(f"The adapter {name!r} is not of the form module:Class. {THREE_WAYS}")
    return _checked(name, _resolve(name, module_name, path))


def _resolve(name: str, module_name: str, path: str) -> object:
    try:
        module = import_module(module_name)
    except Exception as error:
        cause = "".join(traceback.format_exception(error, limit=-3))
        raise AdapterError(f"The adapter {name!r} cannot be imported: {module_name!r} raised\n{cause}") from error
    try:
        return reduce(getattr, path.split("."), module)
    except AttributeError as error:
        raise AdapterError(
            f"The module {module_name!r} has no {path!r}, so the adapter {name!r} is not there."
        ) from error


def _checked(name: str, found: object) -> AdapterClass:
    if not isinstance(found, type):
        raise AdapterError(f"The adapter {name!r} is {found!r:.100}, not a class; give the class, not an instance.")
    if not issubclass(found, QueueAdapter | StandaloneAdapter):
        raise AdapterError(
            f"The adapter {name!r} is a class that does not derive from pytest_taskq.QueueAdapter (your part on the "
            "shared queue) or pytest_taskq.StandaloneAdapter (a whole queue of its own); derive it from one of them."
        )
    if not isinstance(found.promises, Promises):
        raise AdapterError(f"{name!r}.promises must be pytest_taskq.Promises(...), got {found.promises!r:.100}.")
    problems = [*_unknown_names(found), *_misfits(found)]
    if problems:
        raise AdapterError(
            f"The adapter {name!r} does not fit the contract:\n" + "\n".join(f"  - {p}" for p in problems)
        )
    return found


def _unknown_names(adapter: AdapterClass) -> list[str]:
    unknown = sorted(set(adapter.owned) - set(METHODS))
    return [f"owned names {method!r}, which is no method of the contract" for method in unknown]


def _misfits(adapter: AdapterClass) -> list[str]:
    own = (method for method in METHODS.values() if is_own(adapter, method.name))
    return [text for method in own if (text := signature_problem(adapter, method))]


def is_own(adapter: AdapterClass, method: str) -> bool:
    """Whether ``method`` is written by the team: overridden, declared in ``owned``, or any at all if standalone."""
    found = getattr(adapter, method, None)
    if found is None:
        return False
    return found is not getattr(QueueAdapter, method, None) or method in adapter.owned


def signature_problem(adapter: AdapterClass, method: Method) -> str | None:
    """Return what is wrong with the signature of an adapter's method, None if it can be called as the contract says."""
    function = getattr(adapter, method.name)
    if not callable(function):
        return f"{method.name} is {function!r:.60}, not a method"
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    offered = [name for name in method.keywords if f"{method.name}.{name}" not in adapter.promises.not_offered]
    static = isinstance(inspect.getattr_static(adapter, method.name), staticmethod | classmethod)
    arguments = [object()] * (len(method.parameters) + (0 if static else 1))
    try:
        signature.bind(*arguments, **dict.fromkeys(offered))
    except TypeError as error:
        wanted = ", ".join([*method.parameters, *(["*", *offered] if offered else [])])
        return f"{method.name}{signature} cannot be called as {method.name}({wanted}): {error}"
    return None

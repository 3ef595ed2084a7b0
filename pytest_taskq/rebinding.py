"""Names that were bound to a builtin before are found, replaced, and put back.

``from time import time`` copies the function into the importing module, where a new ``time.time`` is never seen.
Looked at are module globals and the attributes of classes defined in those modules. Not reached: default arguments,
closures, ``partial`` objects and dataclass factories, which keep the builtin itself.
"""

from __future__ import annotations

import sys
from types import BuiltinFunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Function = Callable[..., object]

# Test machinery and the standard library measure and wait by real time: a frozen clock would hang or garble them.
_SPARED = sys.stdlib_module_names | {
    "_hypothesis_globals",
    "_pytest",
    "coverage",
    "execnet",
    "hypothesis",
    "pluggy",
    "pytest",
    "pytest_benchmark",
    "pytest_cov",
    "pytest_timeout",
    "xdist",
}
_KIT = __name__.partition(".")[0]
_GRADED = (f"{_KIT}.reference_impl", f"{_KIT}.conformance")  # of the kit, only these are code under test


def is_spared(module: str) -> bool:
    """Whether names in ``module`` stay real."""
    top = module.partition(".")[0]
    return top in _SPARED or (top == _KIT and not module.startswith(_GRADED))


class Place(NamedTuple):
    """A name that is, or was at some time, bound to a function that has a stand-in."""

    owner: ModuleType | type
    name: str
    real: Function
    stand_in: Function
    spared: bool

    def rebind(self, old: Function, new: Function) -> None:
        """Bind the name to ``new`` if it is bound to ``old``; a third value is somebody else's and stays."""
        held = _namespace(self.owner).get(self.name)
        if not (isinstance(held, BuiltinFunctionType | MethodType) and held == old):
            return
        if isinstance(self.owner, type):
            type.__setattr__(self.owner, self.name, new)
        else:
            self.owner.__dict__[self.name] = new


class Scan(NamedTuple):
    """What one module held when it was last looked at."""

    module: object
    namespace: Mapping[str, object]
    size: int
    places: tuple[Place, ...]

    def holds(self, module: object) -> bool:
        """Whether looking again would find the same."""
        return self.module is module and len(self.namespace) == self.size


class Rebinding:
    """The names bound to ``stand_ins``' keys, in every module but the spared ones, and always in ``homes``.

    A module is looked at again only when it is another object or, unless spared, has more or fewer names than before;
    walking every global of a big test process would cost milliseconds for each test.
    """

    def __init__(self, stand_ins: Mapping[Function, Function], homes: frozenset[str]) -> None:
        self._pairs = {function: pair for pair in stand_ins.items() for function in pair}
        self._homes = homes
        self._scans: dict[str, Scan] = {}
        self._modules: dict[str, object] = {}
        self._watched: tuple[list[Mapping[str, object]], list[int]] = ([], [])  # namespaces, and their sizes
        self._found: list[Place] = []

    def install(self) -> None:
        """Bind the stand-ins."""
        self._look()
        for place in self._found:
            if not place.spared:
                place.rebind(place.real, place.stand_in)

    def restore(self) -> None:
        """Bind the real functions, also in modules that were imported meanwhile and copied a stand-in."""
        self._look()
        for place in self._found:
            place.rebind(place.stand_in, place.real)

    def _look(self) -> None:
        modules: dict[str, object] = dict(sys.modules)
        namespaces, sizes = self._watched
        # Both at C speed, as it is asked twice in each run of a schedule; the loop below costs a millisecond per 2,000.
        if modules == self._modules and [*map(len, namespaces)] == sizes:
            return
        known = self._scans
        self._scans = {
            name: seen if (seen := known.get(name)) is not None and seen.holds(module) else self._scan(name, module)
            for name, module in modules.items()
        }
        self._modules = modules
        watched = [scan for name, scan in self._scans.items() if not is_spared(name)]
        self._watched = [scan.namespace for scan in watched], [scan.size for scan in watched]
        self._found = [place for scan in self._scans.values() for place in scan.places]

    def _scan(self, name: str, module: object) -> Scan:
        if not isinstance(module, ModuleType):
            return Scan(module, {}, 0, ())  # some put other objects there, or None
        namespace = _namespace(module)
        return Scan(module, namespace, len(namespace), tuple(self._places(name, module)))

    def _places(self, module_name: str, module: ModuleType) -> Iterator[Place]:
        spared = is_spared(module_name) and module_name not in self._homes
        for name, value in tuple(_namespace(module).items()):
            yield from self._place(module, name, value, spared=spared)
            if isinstance(value, type) and _namespace(value).get("__module__") == module_name:
                for attribute, held in tuple(_namespace(value).items()):
                    yield from self._place(value, attribute, held, spared=spared)

    def _place(self, owner: ModuleType | type, name: str, value: object, *, spared: bool) -> Iterator[Place]:
        if isinstance(value, BuiltinFunctionType | MethodType) and value in self._pairs:
            real, stand_in = self._pairs[value]
            # Two captures of datetime.now are equal and not identical: this very object is put back.
            yield Place(owner, name, real if value == stand_in else value, stand_in, spared)


def _namespace(owner: ModuleType | type) -> Mapping[str, object]:
    if isinstance(owner, type):
        return type.__dict__["__dict__"].__get__(owner)  # type: ignore[no-any-return]
    return object.__getattribute__(owner, "__dict__")  # type: ignore[no-any-return]  # wakes no lazily loaded module

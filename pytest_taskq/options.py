"""What a user can set: one table of options, and the frozen settings that come of it.

The command line wins over the environment, the environment over the ini file.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_taskq.instruments.budget import Effort, Latency

    Clock = Literal["auto", "vfs", "functions"]
    IniKind = Literal["string", "bool", "int", "float"]

EFFORTS = ("smoke", "pr", "soak")
CLOCKS = ("auto", "vfs", "functions")
LATENCY = ("auto", "on", "off", "strict")
_INI_KIND: dict[type, IniKind] = {str: "string", int: "int", float: "float", bool: "bool"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One setting: ``--taskq-name`` and, as far as they make sense, ``PYTEST_TASKQ_NAME`` and ini ``taskq_name``."""

    name: str
    help: str
    kind: type = str
    default: object = None
    least: float = 0
    choices: tuple[str, ...] = ()
    metavar: str | None = None
    cli: bool = True
    env: bool = False
    ini: bool = False

    @property
    def flag(self) -> str:
        """The option as it is typed."""
        return f"--taskq-{self.name}"

    @property
    def destination(self) -> str:
        """The ini key, and the name of the parsed option."""
        return f"taskq_{self.name.replace('-', '_')}"

    @property
    def variable(self) -> str:
        """The environment variable."""
        return f"PYTEST_{self.destination.upper()}"


OPTIONS: tuple[Option, ...] = (
    Option(name="conformance", kind=bool, default=False, help="Run the conformance suite with what pytest collects"),
    Option(
        name="review",
        kind=bool,
        default=False,
        help="Review the sources at the paths given (else testpaths, else this folder): REV-01 to REV-10",
    ),
    Option(name="adapter", metavar="MODULE:CLASS", env=True, ini=True, help="The adapter whose code is graded"),
    Option(
        name="dsn",
        metavar="DSN",
        env=True,
        help="Where the stores of the run are made: sqlite:///path puts them in a folder of their own beside path, "
        "postgresql://user@host:port/database in schemas of their own on that server",
    ),
    Option(
        name="require",
        choices=("postgres",),
        metavar="BACKEND",
        env=True,
        help="Fail instead of skipping what needs this and finds none: postgres",
    ),
    Option(
        name="effort",
        choices=EFFORTS,
        default="pr",
        ini=True,
        metavar="EFFORT",
        help="How much is explored: smoke, pr or soak",
    ),
    Option(name="seed", kind=int, metavar="INT", help="Repeat the run that printed this seed; random if not given"),
    Option(
        name="replay",
        metavar="TOKEN",
        help="Run only the one schedule of workers that a failure names, statement by statement as it was",
    ),
    Option(
        name="report",
        metavar="DIR",
        help="Write report.html and report.json to this folder; nothing is written without it",
    ),
    Option(
        name="github",
        kind=bool,
        default=False,
        help="Annotate the adapter's lines and write the step's summary; in GitHub Actions it happens by itself",
    ),
    Option(
        name="min-graded",
        kind=int,
        default=0,
        metavar="N",
        ini=True,
        help="Fail the run if fewer requirements are graded (PASS, FAIL or KNOWN)",
    ),
    Option(
        name="strict",
        kind=bool,
        default=False,
        ini=True,
        help="Fail the run also on a SHOULD that fails and on an INCONCLUSIVE",
    ),
    Option(
        name="known-failures",
        metavar="FILE",
        ini=True,
        help="TOML file of the requirements that are known to fail, with reason, issue and until",
    ),
    Option(
        name="clock",
        choices=CLOCKS,
        default="auto",
        ini=True,
        metavar="MEANS",
        help="How SQLite is given virtual time: auto, vfs or functions",
    ),
    Option(
        name="latency",
        choices=LATENCY,
        default="auto",
        env=True,
        ini=True,
        metavar="WHEN",
        help="Time single calls where the machine is fit for a verdict (auto), whatever it is fit for, and show the "
        "figures (on), never (off), or fail the run where there is no verdict (strict)",
    ),
    Option(
        name="call-timeout",
        kind=float,
        default=30.0,
        least=0.1,
        metavar="SECONDS",
        ini=True,
        help="How long one call of the adapter may take before its check is NOT RUN",
    ),
    Option(
        name="junit-properties",
        kind=bool,
        default=True,
        cli=False,
        ini=True,
        help="Write requirement, role, verdict and seed as properties of each test case to the JUnit file",
    ),
)
BY_NAME: dict[str, Option] = {option.name: option for option in OPTIONS}


def add_options(parser: pytest.Parser) -> None:
    """Register the table with pytest."""
    group = parser.getgroup("taskq", "task queue conformance (pytest-taskq)")
    for option in OPTIONS:
        text = f"{option.help} (also {option.variable})" if option.env else option.help
        if option.ini:
            parser.addini(option.destination, text, type=_INI_KIND[option.kind], default=option.default)
        if option.cli and option.kind is bool:
            group.addoption(option.flag, dest=option.destination, action="store_true", default=None, help=text)
        elif option.cli:
            group.addoption(
                option.flag, dest=option.destination, type=option.kind, default=None, metavar=option.metavar, help=text
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The values in force; ``given`` are the options of the command line and environment that a rerun must repeat."""

    conformance: bool
    review: bool
    adapter: str | None
    dsn: str | None
    require: Literal["postgres"] | None
    effort: Effort
    seed: int
    replay: str | None
    report: Path | None
    github: bool
    min_graded: int
    strict: bool
    known_failures: Path | None
    clock: Clock
    latency: Latency
    call_timeout: float
    junit_properties: bool
    given: tuple[str, ...]

    @classmethod
    def of(cls, config: pytest.Config) -> Settings:
        """Read them. Raises UsageError naming option and value where a value has no meaning."""
        values = {option.name.replace("-", "_"): _value(config, option) for option in OPTIONS}
        here, ini_folder = config.invocation_params.dir, (config.inipath.parent if config.inipath else config.rootpath)
        known_is_typed = config.getoption(BY_NAME["known-failures"].destination, None) is not None
        values["report"] = here / values["report"] if values["report"] else None
        known = values["known_failures"]
        values["known_failures"] = (here if known_is_typed else ini_folder) / known if known else None
        given = (BY_NAME[name] for name in ("adapter", "dsn", "effort", "clock", "latency"))
        repeated = [f"{option.flag}={typed}" for option in given if (typed := _typed(config, option)) is not None]
        return cls(**values, given=tuple(repeated))

    @property
    def part_options(self) -> tuple[str, ...]:
        """What a command must repeat that runs a part of the suite: it is not held to ``min_graded``."""
        fewer = ("--taskq-min-graded=0",) if self.min_graded else ()
        return (*self.given, *fewer)

    @property
    def rerun_options(self) -> tuple[str, ...]:
        """What a command must repeat to see the same again."""
        return (f"--taskq-seed={self.seed}", *self.part_options)


def choose_seed(config: pytest.Config) -> None:
    """Make sure that there is a seed: the one that was given, in a worker of pytest-xdist its controller's, or any."""
    if config.getoption("taskq_seed", None) is None:
        received = getattr(config, "workerinput", {}).get("taskq_seed")
        config.option.taskq_seed = int.from_bytes(os.urandom(4), "big") if received is None else received


def _typed(config: pytest.Config, option: Option) -> Any:  # noqa: ANN401 - of the option's kind
    typed = config.getoption(option.destination, None) if option.cli else None
    if typed is None and option.env and os.environ.get(option.variable):
        typed = os.environ[option.variable]
    return typed


def _value(config: pytest.Config, option: Option) -> Any:  # noqa: ANN401 - of the option's kind
    value = _typed(config, option)
    if value is None and option.ini:
        value = config.getini(option.destination)
    if value is None:
        value = option.default
    if option.choices and value is not None and value not in option.choices:
        raise pytest.UsageError(
            f"{option.flag} (ini {option.destination}) is {value!r}; it must be one of {', '.join(option.choices)}"
        )
    if option.kind in (int, float) and value is not None and not option.least <= value < float("inf"):
        raise pytest.UsageError(f"{option.flag} is {value!r}; it must be a number from {option.least:g}")
    return value

"""Whether a report still says what its own data say, and whether it was made of the sources that are here.

Accidents are found, not forgery: a report that was written by hand, digest and all, passes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pytest_taskq.certificate.digest import KEY, digest
from pytest_taskq.contract import CONTRACT_VERSION, Finding, Instrument, Level, Verdict, combine
from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.reports.run_report import GRADED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_taskq.certificate.sources import Sources
    from pytest_taskq.reports.stored_report import StoredReport, StoredRequirement


class State(StrEnum):
    """What became of one check."""

    HOLDS = "holds"
    DIFFERS = "differs"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that a report claims, and whether it was found to be so."""

    what: str
    state: State
    text: str = ""


def verify(report: StoredReport, installed: Mapping[str, Sources], adapter: Sources | None) -> Iterator[Checked]:
    """Yield what can be computed again of a report.

    ``installed`` are the suite, the kit and the reference that are here; ``adapter`` the files that the report names as
    they are here, None if the report names none.
    """
    yield _digest(report)
    yield _contract(report)
    yield _verdicts(report)
    yield _summary(report)
    for name, sources in installed.items():
        yield _installed(report, name, sources)
    yield _adapter(report, adapter)


def adapter_files(report: StoredReport) -> Mapping[str, str] | None:
    """Return the digests of the adapter's files that a report lists, None if it lists none."""
    files = _certificate(report).get("adapter", {}).get("files")
    return files if isinstance(files, dict) and files else None


def _certificate(report: StoredReport) -> Mapping[str, Any]:
    found = report.plain.get("certificate")
    return found if isinstance(found, dict) else {}


def _digest(report: StoredReport) -> Checked:
    written = report.plain.get(KEY)
    if not written:
        return Checked("digest", State.NOT_CHECKED, "the report has none; it was written by an earlier version")
    if written != digest(report.plain):
        return Checked("digest", State.DIFFERS, "the file was changed after it was written")
    return Checked("digest", State.HOLDS)


def _contract(report: StoredReport) -> Checked:
    version = report.facts.get("contract", "not said")
    if version != CONTRACT_VERSION:
        return Checked("contract", State.DIFFERS, f"the report is of version {version}, here is {CONTRACT_VERSION}")
    for one in report.requirements.values():
        here = REQUIREMENTS.get(one.id)
        if here is None or (here.level.value, here.role.value) != (one.level, one.role):
            said = f"{here.level} {here.role}" if here else "not a requirement"
            return Checked("contract", State.DIFFERS, f"{one.id} is {one.level} {one.role}, and here it is {said}")
    return Checked("contract", State.HOLDS, f"version {version}, {len(report.requirements)} requirements")


def _verdicts(report: StoredReport) -> Checked:
    wrong = [one for one in report.requirements.values() if not _follows(one)]
    if wrong:
        first = wrong[0]
        said = f"{first.id} is {first.verdict}, and its findings come to {_combined(first)}"
        return Checked("verdicts", State.DIFFERS, f"{said}; {len(wrong)} in all do not follow from their findings")
    return Checked("verdicts", State.HOLDS, "each follows from its findings")


def _follows(one: StoredRequirement) -> bool:
    combined = _combined(one)
    return combined is one.verdict or (one.verdict is Verdict.KNOWN and combined in (Verdict.FAIL, Verdict.NOT_RUN))


def _combined(one: StoredRequirement) -> Verdict:
    # combine looks at verdicts alone, so that any instrument will do
    return combine(Finding(requirement=one.id, instrument=Instrument.MODEL, verdict=each) for each in one.findings)


def _summary(report: StoredReport) -> Checked:
    written, counted = report.plain.get("summary"), _counted(report)
    if written != counted:
        return Checked("summary", State.DIFFERS, f"it says {written}, and its requirements come to {counted}")
    return Checked("summary", State.HOLDS, "its counts are those of its requirements")


def _counted(report: StoredReport) -> dict[str, object]:
    requirements = report.requirements.values()
    verdicts = Counter(one.verdict for one in requirements)
    levels: dict[str, object] = {
        level.value.lower(): {
            "graded": sum(one.level == level.value and one.verdict in GRADED for one in requirements),
            "passed": sum(one.level == level.value and one.verdict is Verdict.PASS for one in requirements),
        }
        for level in Level
    }
    others = (Verdict.NOT_OFFERED, Verdict.INCONCLUSIVE, Verdict.NOT_RUN, Verdict.KNOWN)
    return {**levels, **{one.value.lower().replace(" ", "_"): verdicts[one] for one in others}}


def _installed(report: StoredReport, name: str, here: Sources) -> Checked:
    written = _certificate(report).get(name, {}).get("sha256")
    if written is None:
        return Checked(name, State.NOT_CHECKED, "the report does not say which it was")
    if written != here.digest:
        kit = report.facts.get("kit", "unknown")
        return Checked(name, State.DIFFERS, f"the report was made with another one (kit {kit}) than is installed here")
    return Checked(name, State.HOLDS, f"{len(here.files)} files")


def _adapter(report: StoredReport, here: Sources | None) -> Checked:
    listed = adapter_files(report)
    if listed is None or here is None:
        note = _certificate(report).get("adapter", {}).get("note", "the report lists no files of it")
        return Checked("adapter", State.NOT_CHECKED, str(note))
    if not here.files:
        return Checked("adapter", State.NOT_CHECKED, "its files are not here; name the project's folder with --root")
    changed = [name for name, digest_then in listed.items() if here.files.get(name) != digest_then]
    if changed:
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""  # noqa: PLR2004 - as many as fit a line
        return Checked("adapter", State.DIFFERS, f"changed since or gone: {', '.join(changed[:3])}{more}")
    return Checked("adapter", State.HOLDS, f"{len(listed)} files")

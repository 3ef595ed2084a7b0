"""What `taskq explain` shows is found by the name of its file and cut where its parts begin."""

from __future__ import annotations

import pytest

from pytest_taskq.contract.requirements import REQUIREMENTS
from pytest_taskq.contract.snippets import Snippet, illustrated, parsed, snippet_of

WHOLE = ("INF", "ENQ", "CLM")  # sections in which each requirement has one
BROKEN = "class Broken(QueueAdapter):\n    pass\n"
CORRECTED = "class Corrected(QueueAdapter):\n    pass\n"


def test_each_requirement_has_a_file_named_after_it() -> None:
    missing = set(REQUIREMENTS) - illustrated()
    assert illustrated() <= set(REQUIREMENTS)
    assert {name for name in missing if name.startswith(WHOLE)} == set()


def test_a_file_is_cut_into_what_it_says_what_both_use_and_the_two() -> None:
    shared = "LIMIT = 3\n\n\n# Why it is so.\n@cache\ndef late() -> int:\n    return LIMIT\n"
    source = (
        f'"""It says so."""\n\nimport math\n\nif TYPE_CHECKING:\n    import json\n\n{shared}\n\n{BROKEN}\n\n{CORRECTED}'
    )
    assert parsed(source) == Snippet(
        says="It says so.", shared=shared.strip(), broken=BROKEN.strip(), corrected=CORRECTED.strip()
    )


def test_a_decorator_belongs_to_what_it_decorates() -> None:
    found = parsed(f'"""It says so."""\n\n@first\n{BROKEN}\n@second\n{CORRECTED}')
    assert (found.shared, found.broken, found.corrected) == (
        "",
        f"@first\n{BROKEN.strip()}",
        f"@second\n{CORRECTED.strip()}",
    )


@pytest.mark.parametrize(
    "source",
    [
        BROKEN + CORRECTED,
        f'"""It says so."""\n{CORRECTED}{BROKEN}',
        f'"""It says so."""\n{BROKEN}{CORRECTED}LATE = 1\n',
        f'"""It says so."""\nEARLY = 1\nimport math\n{BROKEN}{CORRECTED}',
        f'"""It says so."""\n{BROKEN}import math\n{CORRECTED}',
    ],
    ids=["no docstring", "the other way round", "something after", "an import between", "an import inside"],
)
def test_a_file_with_other_parts_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="snippet"):
        parsed(source)


def test_a_requirement_without_a_file_shows_nothing() -> None:
    assert snippet_of("CLM-00") is None

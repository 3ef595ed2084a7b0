"""The form for help is one that GitHub shows, and asks for what docs/help.md says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

FORM = Path(__file__).parents[2] / ".github" / "ISSUE_TEMPLATE" / "integration-help.yml"
# https://docs.github.com/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-githubs-form-schema
ATTRIBUTES = {
    "markdown": {"value"},
    "input": {"label", "description", "placeholder", "value"},
    "textarea": {"label", "description", "placeholder", "value", "render"},
    "dropdown": {"label", "description", "multiple", "options", "default"},
    "checkboxes": {"label", "description", "options"},
}


@pytest.fixture(scope="module")
def form():
    return yaml.safe_load(FORM.read_text(encoding="utf-8"))


def test_the_form_has_the_keys_of_githubs_schema(form):
    assert set(form) <= {"name", "description", "title", "labels", "assignees", "projects", "type", "body"}
    assert all(isinstance(form[key], str) and form[key] for key in ("name", "description"))
    assert form["labels"] == ["worker-01-support"]


def test_each_field_is_one_that_githubs_schema_knows(form):
    for field in form["body"]:
        assert set(field) <= {"type", "id", "attributes", "validations"}
        kind, attributes = field["type"], field["attributes"]
        assert set(attributes) <= ATTRIBUTES[kind]
        assert attributes["value" if kind == "markdown" else "label"]
        assert set(field.get("validations", {})) <= {"required"}
        assert all(isinstance(value, bool) for value in field.get("validations", {}).values())


def test_ids_and_labels_are_there_once_and_are_made_of_what_they_may_be(form):
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    ids = [field["id"] for field in fields]
    labels = [field["attributes"]["label"] for field in fields]
    assert len(set(ids)) == len(ids)
    assert len(set(labels)) == len(labels)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", name) for name in ids)


def test_options_are_texts_and_there_once(form):
    for field in form["body"]:
        options = field["attributes"].get("options", [])
        texts = [one["label"] if field["type"] == "checkboxes" else one for one in options]
        assert all(isinstance(one, str) and one.lower() != "none" for one in texts)
        assert len(set(texts)) == len(texts)


def test_it_asks_for_what_the_page_promises(form):
    page = (FORM.parents[2] / "docs" / "help.md").read_text(encoding="utf-8")
    asked = re.findall(r"^\d\. the (\w+):", page, re.MULTILINE)
    assert asked == ["snippet", "error", "pattern", "report"]
    assert set(asked) <= {field.get("id") for field in form["body"]}

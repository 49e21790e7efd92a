"""The JSON Schemas that are shipped: one for every document, and none that describes nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from schema_checks import problems_of, strict

import scalptrack
from scalptrack.cli.main import main
from scalptrack.schemas import file_name, load_schema, schema_names

PACKAGE = Path(scalptrack.__file__).parent
GUIDE = Path(__file__).parents[1] / "docs" / "json.md"
NAME = re.compile(r"scalptrack\.[a-z][a-z.]*/\d+")


def _documents_of_the_program() -> set[str]:
    return {
        name
        for path in PACKAGE.rglob("*.py")
        if path.parent.name != "schemas"
        for name in NAME.findall(path.read_text(encoding="utf-8"))
    }


def test_every_document_of_the_program_has_a_schema_and_is_in_the_guide():
    assert _documents_of_the_program() == set(schema_names())
    assert set(NAME.findall(GUIDE.read_text(encoding="utf-8"))) >= set(schema_names())


@pytest.mark.parametrize("name", schema_names())
def test_a_schema_is_one_and_requires_its_name(name):
    schema = load_schema(name)
    Draft202012Validator.check_schema(schema)
    assert schema["title"] == name
    assert schema["properties"]["schema"] == {"const": name}
    assert "schema" in schema["required"]
    assert (PACKAGE / "schemas" / file_name(name)).is_file()


def test_a_document_that_nobody_knows_has_no_schema():
    with pytest.raises(KeyError, match=r"scalptrack\.nothing/1"):
        load_schema("scalptrack.nothing/1")


def _printed(*arguments: object) -> dict:
    result = CliRunner().invoke(main, [*(str(each) for each in arguments), "--json"])
    assert result.exit_code in {0, 1}, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def catalogued(samples):
    return _printed("catalog", samples / "subject-03")


def test_a_document_that_is_right_has_no_problem(catalogued, tmp_path):
    assert catalogued["photographs"]
    assert problems_of(catalogued) == []
    assert problems_of(_printed("card", "--out", tmp_path / "card.pdf")) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"notes": "none"}, "$.notes: 'none' is not of type 'array'"),
        ({"more": 1}, "$: Additional properties are not allowed ('more' was unexpected)"),
        ({"photographs": [{}]}, "$.photographs[0]: 'photo' is a required property"),
        ({"schema": "scalptrack.catalog/9"}, "scalptrack.catalog/9 has no schema"),
    ],
)
def test_a_document_that_is_wrong_is_noticed(catalogued, change, problem):
    assert any(problem in each for each in problems_of(catalogued | change))


def test_the_shipped_schemas_allow_the_fields_of_later_versions(catalogued):
    later = catalogued | {"more": 1}
    Draft202012Validator(load_schema("scalptrack.catalog/1")).validate(later)
    assert problems_of(later) != []


def test_strictness_reaches_every_object_with_fields():
    schema = {"properties": {"a": {"properties": {}, "required": []}}, "required": []}
    assert strict(schema)["properties"]["a"]["additionalProperties"] is False


def test_what_tests_print_and_write_is_watched(watched_documents, tmp_path):
    from scalptrack.cli import common
    from scalptrack.outputs import OutputFolder

    wrong = {"schema": "scalptrack.study.run/1"}
    common.echo_json(wrong)
    assert watched_documents != []
    watched_documents.clear()
    OutputFolder(tmp_path).write_text("wrong.json", json.dumps(wrong))
    assert watched_documents != []
    watched_documents.clear()

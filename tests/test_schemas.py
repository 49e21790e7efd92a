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
from scalptrack.records import Settings
from scalptrack.review import decision_file
from scalptrack.review.decisions import OF_PHOTOGRAPHS, OF_SUBJECTS, Change, checked
from scalptrack.schemas import file_name, load_schema, schema_names
from scalptrack.tables import provenance

PACKAGE = Path(scalptrack.__file__).parent
GUIDE = Path(__file__).parents[1] / "docs" / "json.md"
NAME = re.compile(r"scalptrack\.[a-z][a-z.]*/\d+")

PHOTO = "a" * 64
AT = "2026-03-12T08:00:00Z"
CORNERS = [[1.0, 1.0], [9.0, 1.0], [9.0, 9.0]]
SEEN = {"status": "measured", "tier": "A", "reason_code": "", "coverage_percent": "52.000"}
DECIDED = (
    ("verdict", {"verdict": "excluded", "reason": "another person"}),
    ("verdict", {"verdict": "accepted", "seen": SEEN}),
    ("reference", True),
    ("region", {"polygons": [CORNERS, CORNERS]}),
    ("points", {"reference": "b" * 64, "pairs": [[1.0 * k, 2.0, 3.0 * k, 4.0] for k in range(4)]}),
    ("note", "came late"),
    ("events", [{"date": "2026-02-01", "label": "minoxidil"}]),
)


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
    assert problems_of(_printed("card", "--strip", "--out", tmp_path / "band.pdf")) == []


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


def _provenance(decisions: dict | None) -> dict:
    document = provenance(
        (), Settings(), method="none", model_sha256="0" * 64, outputs=(), decisions=decisions
    )
    return document | {"deidentified": False}


def _applied(what: str, value: object) -> dict:
    name = {"subject": "anna"} if what == "events" else {"photo": PHOTO}
    decision = name | {"what": what, "value": value, "who": "Dr. Grey", "at": AT}
    record = {"file": "decisions.jsonl", "log_sha256": PHOTO, "log_lines": 1}
    return record | {"applied": [decision]}


@pytest.mark.parametrize("decisions", [None, {}, {"applied_count": 2}])
def test_a_run_without_decisions_or_without_names_is_described(decisions):
    document = _provenance(decisions)
    assert document["decisions"] == (decisions or None)
    assert problems_of(document) == []


@pytest.mark.parametrize(("what", "value"), DECIDED)
def test_every_kind_of_decision_is_described(what, value):
    assert checked(what, value) == value
    assert problems_of(_provenance(_applied(what, value))) == []


def test_all_kinds_of_decisions_are_tried():
    assert {what for what, _ in DECIDED} == {*OF_PHOTOGRAPHS, *OF_SUBJECTS}


@pytest.mark.parametrize(
    "decisions",
    [
        _applied("reference", value=False),
        _applied("verdict", {"verdict": "excluded"}),
        _applied("verdict", {"verdict": "doubted", "reason": "blurred"}),
        _applied("region", {"polygons": [CORNERS[:2]]}),
        _applied("points", {"reference": PHOTO, "pairs": [[1.0, 2.0, 3.0]] * 4}),
        _applied("hair", 5),
        _applied("note", "fine") | {"applied_count": 1},
        {"applied": []},
    ],
)
def test_a_decision_that_can_not_be_is_noticed(decisions):
    (problem,) = problems_of(_provenance(decisions))
    assert problem.startswith("scalptrack.provenance/1: $.decisions: ")


def test_every_line_of_a_file_of_decisions_is_watched(watched_documents, tmp_path):
    store = decision_file.DecisionFile(tmp_path / "decisions.jsonl")
    for what, value in DECIDED:
        kind, name = ("subject", "anna") if what == "events" else ("photo", PHOTO)
        before = store.read().decisions().get((kind, name, what))
        change = Change((kind, name, what), before.value if before else None, value)
        store.decide("Dr. Grey", [change])
    store.undo("Dr. Grey", len(DECIDED))
    assert watched_documents == []
    lines = store.path.read_text().splitlines()
    assert [problems_of(json.loads(line)) for line in lines] == [[]] * (len(DECIDED) + 1)
    content = "\n".join([lines[0], json.dumps(json.loads(lines[1]) | {"who": None})])
    decision_file.write_bytes_atomic(store.path, content.encode())
    assert watched_documents == ["scalptrack.decisions/1: $.who: None is not of type 'string'"]
    watched_documents.clear()


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

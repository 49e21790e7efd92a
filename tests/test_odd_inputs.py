"""What the program says to each kind of bad or odd input; docs/inputs.md tells the same."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest
from odd_inputs import CASES, NOTED, USED, answer, table
from PIL import features

DOCUMENT = Path(__file__).parents[1] / "docs" / "inputs.md"


def possible(needs: str) -> bool:
    if needs == "posix":
        return os.name == "posix"
    if needs == "avif":
        return bool(features.check("avif"))
    return not needs or find_spec(needs) is not None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind)
def test_every_kind_of_input_has_its_answer(case, tmp_path):
    if not possible(case.needs):
        pytest.skip(f"needs {case.needs}")
    code, sentence = answer(case, tmp_path / "photos")
    assert code == case.code, sentence
    assert sentence.endswith(".")
    assert str(tmp_path) not in sentence
    if code not in {USED, NOTED}:
        # The file is named, and a second sentence says what to do (or the first one asks for it).
        assert Path(case.name).name[:60] in sentence
        assert sentence.count(". ") >= 1 or code == "not_a_photograph"


def test_there_are_enough_kinds_and_no_two_are_the_same():
    assert len(CASES) >= 40
    assert len({case.kind for case in CASES}) == len(CASES)


def test_the_document_holds_what_the_program_says(tmp_path):
    if not DOCUMENT.exists() or not all(possible(case.needs) for case in CASES):
        pytest.skip("needs the documents and all extras")
    assert table(tmp_path) in DOCUMENT.read_text(encoding="utf-8"), (
        "run python -m lab.odd_inputs, and read what has changed"
    )

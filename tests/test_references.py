"""Which photograph of a catalog is set as a reference, by its name or its path."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from scalptrack.errors import InputError
from scalptrack.records import Catalog, Photograph, Reason, RejectedFile
from scalptrack.references import set_references


def _photograph(root: Path, name: str, *, marked: bool = False) -> Photograph:
    subject, view, file = name.split("/")
    day = date.fromisoformat(file.removesuffix(".jpg"))
    return Photograph(
        subject, view, day, 1, root / name, name, name, 10, 10, set_as_reference=marked
    )


@pytest.fixture
def catalog(tmp_path) -> Catalog:
    photographs = (
        _photograph(tmp_path, "a/vertex/2025-01-01.jpg", marked=True),
        _photograph(tmp_path, "a/vertex/2025-02-01.jpg"),
        _photograph(tmp_path, "a/frontal/2025-01-01.jpg"),
        _photograph(tmp_path, "b/vertex/2025-01-01.jpg", marked=True),
    )
    for each in photographs:
        each.path.parent.mkdir(parents=True, exist_ok=True)
        each.path.write_bytes(b"")
    rejected = RejectedFile(
        tmp_path / "a/vertex/cut.jpg", "a/vertex/cut.jpg", Reason("truncated", "It ends early.")
    )
    return Catalog(tmp_path, photographs, (rejected,))


def _marks(catalog: Catalog) -> list[str]:
    return [each.name for each in catalog.photographs if each.set_as_reference]


def test_a_choice_replaces_the_mark_of_its_own_subject_and_view_alone(catalog):
    marked = set_references(catalog, ["a/vertex/2025-02-01.jpg"])
    assert _marks(marked) == ["a/vertex/2025-02-01.jpg", "b/vertex/2025-01-01.jpg"]


def test_names_with_another_slash_and_paths_are_understood(catalog):
    chosen = ["a\\vertex\\2025-02-01.jpg", str(catalog.root / "a/frontal/2025-01-01.jpg")]
    assert _marks(set_references(catalog, chosen))[:2] == [
        "a/vertex/2025-02-01.jpg",
        "a/frontal/2025-01-01.jpg",
    ]


def test_no_choice_changes_nothing(catalog):
    assert set_references(catalog, []) is catalog


def test_a_rejected_file_is_no_reference(catalog):
    with pytest.raises(InputError) as caught:
        set_references(catalog, ["a/vertex/cut.jpg"])
    assert str(caught.value) == "a/vertex/cut.jpg can't be the reference: It ends early."


def test_two_references_of_one_subject_and_view_are_an_error(catalog):
    with pytest.raises(InputError) as caught:
        set_references(catalog, ["a/vertex/2025-01-01.jpg", "a/vertex/2025-02-01.jpg"])
    assert str(caught.value) == (
        "a/vertex/2025-01-01.jpg and a/vertex/2025-02-01.jpg are both set as the reference of a, "
        "vertex. Set one of them."
    )

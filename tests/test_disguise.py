"""Names and dates under a disguise, without a run."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from scalptrack import pictures
from scalptrack.catalog import catalog_folder
from scalptrack.corrections import NO_CORRECTIONS, Corrections, DrawnRegion, HandSetPoints
from scalptrack.disguise import (
    Disguise,
    disguised,
    disguised_conditions,
    disguised_corrections,
    disguised_events,
)
from scalptrack.images import encode_image
from scalptrack.pseudonyms import PseudonymKey
from scalptrack.records import CaptureInfo, Event, Reason, RegionClass, VisitConditions
from tests.builders import disc, segmentation_of

KEY = PseudonymKey(b"k" * 32)
DAY = date(2023, 5, 17)


@pytest.fixture
def catalog(tmp_path):
    folder = tmp_path / "photos"
    for name, shade in (("anna/vertex", 1), ("anna/donor of anna", 2), ("ben/vertex", 3)):
        (folder / name).mkdir(parents=True)
        picture = Image.new("RGB", (80, 80), (shade, shade, shade))
        picture.save(folder / name / "2023-05-17.png")
    (folder / "anna" / "vertex" / "undated anna.png").write_bytes(
        (folder / "ben" / "vertex" / "2023-05-17.png").read_bytes()
    )
    return catalog_folder(folder)


@pytest.mark.parametrize("links", [True, False])
def test_photographs_open_under_other_names_and_the_links_vanish(catalog, monkeypatch, links):
    if not links:
        monkeypatch.setattr(Path, "symlink_to", lambda *each: (_ for _ in ()).throw(OSError()))
    with disguised(catalog, Disguise(KEY, 100)) as shown:
        paths = [each.path for each in shown.photographs]
        contents = {each.read_bytes() for each in paths}
        assert contents == {each.path.read_bytes() for each in catalog.photographs}
        assert [each.path.as_posix().endswith(each.name) for each in shown.photographs] == [
            True
        ] * 3
        pairs = [(each.subject, each.view) for each in shown.photographs]
        assert pairs == sorted(pairs)
        views = {each.view for each in shown.photographs}
        assert views == {"vertex", KEY.label("view", "donor of anna")}
        (rejected,) = shown.rejected
        assert "anna" not in repr(rejected)
        assert "anna" not in repr(shown.photographs)
    assert not any(each.exists() for each in paths)


def test_intervals_stay_and_hashes_are_keyed(catalog):
    with disguised(catalog, Disguise(KEY, 100)) as shown:
        moved = {each.subject: (DAY - each.visit_date).days for each in shown.photographs}
        assert all(1 <= days <= 100 for days in moved.values())
        assert len(set(moved.values())) == 2
        hashes = {each.sha256 for each in shown.photographs}
    assert hashes.isdisjoint({each.sha256 for each in catalog.photographs})
    assert all(len(each) == 64 for each in hashes)
    with disguised(catalog, Disguise(KEY)) as shown:
        assert {each.visit_date for each in shown.photographs} == {DAY}


def test_events_and_conditions_follow_their_subjects():
    disguise = Disguise(KEY, 100)
    events = [Event(DAY, "Dr. Knopf"), Event(DAY, "cut", "anna"), Event(DAY, "Dr. Knopf", "ben")]
    shown = disguised_events(events, disguise, ["anna", "ben", "anna"])
    assert sorted((each.subject, each.label) for each in shown) == sorted(
        [
            (KEY.subject("anna"), "event 1"),
            (KEY.subject("ben"), "event 1"),
            (KEY.subject("anna"), "event 2"),
            (KEY.subject("ben"), "event 1"),
        ]
    )
    for each in shown:
        name = "anna" if each.subject == KEY.subject("anna") else "ben"
        assert each.event_date == KEY.shifted(DAY, name, max_days=100)
    stated = VisitConditions("anna", DAY, hair_length_mm=20, parting="left", note="of Dr. Knopf")
    (condition,) = disguised_conditions([stated], disguise)
    assert (condition.subject, condition.note) == (KEY.subject("anna"), "")
    assert (condition.parting, condition.hair_length_mm) == ("left", 20)
    assert condition.visit_date == KEY.shifted(DAY, "anna", max_days=100)
    (own,) = disguised_conditions([replace(stated, parting="as Anna likes")], disguise)
    assert own.parting.startswith("parting-")


def test_corrections_follow_their_photographs_without_a_word_of_the_reviewer():
    disguise = Disguise(KEY, 100)
    given = Corrections(
        excluded={"a" * 64: Reason("excluded", "excluded by Dr. Knopf: Anna moved")},
        regions={"b" * 64: DrawnRegion((((0, 0), (9, 0), (9, 9)),), "Dr. Knopf")},
        points={"c" * 64: HandSetPoints("b" * 64, ((1, 2, 3, 4),), "Dr. Knopf")},
        events=(Event(DAY, "Dr. Knopf", "anna"),),
        notes=("decisions of Dr. Knopf",),
        record={"applied": [{"who": "Dr. Knopf"}], "log_sha256": "d" * 64},
    )
    shown = disguised_corrections(given, disguise, ["anna"])
    assert "Knopf" not in repr(shown)
    assert "anna" not in repr(shown).casefold()
    keys = [KEY.identity(letter * 64) for letter in "abc"]
    assert [*shown.excluded, *shown.regions, *shown.points] == keys
    assert shown.excluded[keys[0]].code == "excluded"
    assert shown.regions[keys[1]].polygons == given.regions["b" * 64].polygons
    assert shown.points[keys[2]].reference_sha256 == keys[1]
    assert shown.points[keys[2]].pairs == ((1, 2, 3, 4),)
    assert shown.record == {"applied_count": 1}
    assert disguised_corrections(NO_CORRECTIONS, disguise, []) == NO_CORRECTIONS


def test_a_face_that_cannot_be_covered_is_not_shown(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(encode_image(np.full((100, 100, 3), 200, np.uint8), suffix=".jpg"))
    segmentation = segmentation_of(
        np.zeros((100, 100)), disc(100, 40) & (np.arange(100) < 50)[:, None]
    )
    below = disc(100, 40) & (np.arange(100) >= 50)[:, None]
    face = segmentation.classes.copy()
    face[below] = RegionClass.OTHER_SKIN

    def shown(segmentation, view, *, cover_faces=True):
        photograph = SimpleNamespace(path=path, view=view, capture=CaptureInfo())
        analysis = SimpleNamespace(segmentation=segmentation)
        member = SimpleNamespace(photograph=photograph, analysis=analysis)
        return pictures._shown_image(SimpleNamespace(member=member), 1.0, cover_faces=cover_faces)

    assert shown(segmentation, "frontal") is None
    covered = shown(replace(segmentation, classes=face), "frontal")
    assert (covered[60:] == 128).all()
    assert (covered[:20] == 200).all()
    assert (shown(replace(segmentation, classes=face), "frontal", cover_faces=False) == 200).all()
    assert (shown(segmentation, "vertex") == 200).all()


def test_no_hair_is_tinted_over_the_cover():
    segmentation = segmentation_of(np.ones((100, 100)), disc(100, 40))
    image = np.full((100, 100, 3), 200, np.uint8)
    image[60:] = 128
    drawn = [
        pictures._overlay(image, segmentation, segmentation.scalp, hide=hide).astype(int)
        for hide in (False, True)
    ]
    assert np.abs(drawn[0][-5:] - 128).max() > 8
    assert np.abs(drawn[1][-5:] - 128).max() <= 1
    assert np.abs(drawn[1][:5] - 200).max() > 8

"""How the stages are composed: reference, region, and one bad photograph among good ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from builders import Shift, disc, segmentation_of

from scalptrack import aligning, pipeline
from scalptrack.aligning import Analysis, Member
from scalptrack.cache import RecordCache
from scalptrack.corrections import Corrections, HandSetPoints
from scalptrack.errors import ImageReadError
from scalptrack.fiducials import find_strip
from scalptrack.fiducials.strip import headband_picture
from scalptrack.measurement import carry_region
from scalptrack.pipeline import analyse_photograph, measure_series, track
from scalptrack.records import (
    CaptureInfo,
    Catalog,
    Photograph,
    Quality,
    Reason,
    RegionClass,
    Registration,
    Settings,
    Status,
    StripMarkers,
    Tier,
)

SIZE = 120
NO_CACHE = RecordCache(None, {}, fingerprint="")


class Features:
    """Stands for a head's features: what matters here is whose head it is."""

    def __init__(self, person: str) -> None:
        self.person = person


def _photograph(number: int) -> Photograph:
    return Photograph(
        subject="s",
        view="vertex",
        visit_date=date(2026, number, 1),
        replicate=1,
        path=Path(f"{number}.jpg"),
        name=f"s/vertex/{number}.jpg",
        sha256=f"{number:064d}",
        width_px=SIZE,
        height_px=SIZE,
    )


def _member(number: int, person: str, coverage: float) -> Member:
    segmentation = segmentation_of(np.full((SIZE, SIZE), coverage), disc(SIZE, 45))
    return Member(_photograph(number), Analysis(Quality(()), segmentation, Features(person)))


def _unusable(number: int) -> Member:
    reason = Reason("blurred", "Blurred.")
    return Member(_photograph(number), Analysis(Quality(()), None, None, Status.REJECTED, reason))


@pytest.fixture
def pairs(monkeypatch) -> list[tuple[str, str]]:
    """Registration succeeds between photographs of one person; records which pairs were tried."""
    tried = []

    def fake_register(reference, moving, *, seed, resamples):
        tried.append((reference.person, moving.person))
        if reference.person == moving.person:
            return Registration(Tier.A, Shift(), (), 0.5, 80, 0.9, ())
        reason = Reason("no_agreement", "Another person.")
        return Registration(Tier.C, None, (), float("nan"), 3, 0.0, (), reason)

    monkeypatch.setattr(aligning, "register", fake_register)
    return tried


def _measure(members, settings=Settings()):  # noqa: B008
    return measure_series("s", "vertex", members, settings, cache=NO_CACHE)


@pytest.fixture
def outlines(monkeypatch) -> list[tuple[str, str]]:
    """The outline aligns everybody with everybody, half a head aside; records what it was asked."""
    asked = []

    def fake_outline(reference, moving, refused, *, seed, resamples):
        asked.append((reference.person, moving.person))
        there = (Shift(), Shift(dx=20.0))
        return Registration(
            Tier.B, Shift(), there, float("nan"), 0, 0.9, refused.gates, method="outline"
        )

    monkeypatch.setattr(aligning, "register_by_outline", fake_outline)
    return asked


def test_the_earliest_usable_photograph_is_the_reference(pairs):
    series = _measure([_unusable(1), _member(2, "anna", 0.2), _member(3, "anna", 0.4)])
    assert series.reference == 1
    assert [each.status for each in series.outcomes] == [
        Status.REJECTED,
        Status.MEASURED,
        Status.MEASURED,
    ]
    assert series.outcomes[1].is_reference
    assert series.outcomes[2].measurement.coverage_fraction == pytest.approx(0.4)


def test_somebody_else_at_the_first_visit_does_not_refuse_the_series(pairs):
    members = [_member(1, "bert", 0.9)] + [_member(n, "anna", 0.1 * n) for n in (2, 3, 4)]
    series = _measure(members)
    assert series.reference == 1
    assert series.outcomes[0].status is Status.REFUSED
    assert series.outcomes[0].reason.code == "no_agreement"
    assert all(each.status is Status.MEASURED for each in series.outcomes[1:])


def _set(member):
    return replace(member, photograph=replace(member.photograph, set_as_reference=True))


def test_the_reference_says_why_it_is_the_one(pairs):
    anna = [_member(n, "anna", 0.1 * n) for n in (2, 3, 4)]
    reasons = [
        [
            each.reference_reason and each.reference_reason.code
            for each in _measure(members).outcomes
        ]
        for members in (
            anna,
            [_member(1, "bert", 0.9), *anna],
            [anna[0], _set(anna[1]), anna[2]],
        )
    ]
    assert reasons == [
        ["earliest_usable", None, None],
        [None, "most_agree", None, None],
        [None, "set", None],
    ]


def test_a_reference_that_was_set_stays_whatever_the_others_do(pairs):
    members = [_set(_member(1, "bert", 0.9))] + [_member(n, "anna", 0.1 * n) for n in (2, 3, 4)]
    series = _measure(members)
    assert series.reference == 0
    assert [each.status for each in series.outcomes] == [Status.MEASURED] + 3 * [Status.REFUSED]
    assert {first for first, _ in pairs} == {"bert"}


def test_a_later_reference_measures_the_earlier_photographs_too(pairs):
    series = _measure([_member(1, "anna", 0.2), _set(_member(2, "anna", 0.4))])
    assert series.reference == 1
    assert series.outcomes[0].measurement.coverage_fraction == pytest.approx(0.2)


def test_a_reference_that_was_set_and_is_unusable_refuses_the_series(pairs):
    series = _measure([_member(1, "anna", 0.2), _set(_unusable(2))])
    assert series.reference is None
    assert pairs == []
    first, second = series.outcomes
    assert (first.status, first.reason.code) == (Status.REFUSED, "reference_unusable")
    assert first.reason.message == (
        "s/vertex/2.jpg was set as the reference of this view and can't be used: Blurred. "
        "Set another one."
    )
    assert (second.status, second.reason.code) == (Status.REJECTED, "blurred")


def test_the_outline_is_used_only_where_the_user_allows_it(pairs, outlines):
    members = [_member(1, "anna", 0.2), _member(2, "anna", 0.3), _member(3, "bert", 0.4)]
    refused = _measure(members)
    assert refused.outcomes[2].status is Status.REFUSED
    assert outlines == []
    allowed = _measure(members, Settings(allow_outline=True))
    assert outlines == [("anna", "bert")]
    assert [each.tier for each in allowed.outcomes] == [Tier.A, Tier.A, Tier.B]
    assert [each.code for each in allowed.outcomes[2].warnings] == ["outline_only"]
    assert allowed.outcomes[1].warnings == ()
    assert allowed.outcomes[2].measurement.coverage_fraction == pytest.approx(0.4)


@pytest.fixture
def strips(monkeypatch) -> list[tuple[str, str, int]]:
    """The headband aligns everybody who wears one; records what it was asked."""
    asked = []

    def fake_strip(reference, moving, markers, refused, *, seed, resamples):
        asked.append((reference.person, moving.person, len(markers[1].ids)))
        if not markers[0].ids or not markers[1].ids:
            return refused
        return Registration(Tier.B, Shift(), (Shift(),), 2.0, 5, 0.9, (), None, "strip")

    monkeypatch.setattr(aligning, "register_by_strip", fake_strip)
    return asked


def _with_band(member, ids=(210, 211)):
    strip = StripMarkers(ids, np.zeros((len(ids), 4, 2)))
    return replace(member, analysis=replace(member.analysis, strip=strip))


def test_the_headband_is_used_only_where_it_is_asked_for_and_features_refuse(
    pairs, strips, outlines
):
    people = [("anna", 0.2), ("anna", 0.3), ("bert", 0.4)]
    members = [_with_band(_member(n, *each)) for n, each in enumerate(people, start=1)]
    members.append(_member(4, "carl", 0.5))
    without = _measure(members)
    assert [each.status for each in without.outcomes[2:]] == 2 * [Status.REFUSED]
    assert strips == []
    allowed = _measure(members, Settings(strip=True))
    assert strips == [("anna", "bert", 2), ("anna", "carl", 0)]
    assert [each.tier for each in allowed.outcomes] == [Tier.A, Tier.A, Tier.B, Tier.C]
    assert [each.aligned_by for each in allowed.outcomes] == ["reference", "features", "strip", ""]
    assert [each.code for each in allowed.outcomes[2].warnings] == ["strip_only"]
    assert allowed.outcomes[3].warnings == ()
    assert allowed.outcomes[2].measurement.coverage_fraction == pytest.approx(0.4)
    both = _measure(members, Settings(strip=True, allow_outline=True))
    assert [each.aligned_by for each in both.outcomes[2:]] == ["strip", "outline"]
    assert outlines == [("anna", "carl")]


def test_points_that_a_person_set_are_not_overruled_by_the_headband(pairs, strips, monkeypatch):
    reason = Reason("points_disagree", "The points disagree.")
    refused = Registration(Tier.C, None, (), 9.0, 0, 0.0, (), reason)
    monkeypatch.setattr(aligning, "register_by_points", lambda *_args, **_options: refused)
    members = [_with_band(_member(1, "anna", 0.2)), _with_band(_member(2, "bert", 0.4))]
    hashes = [each.photograph.sha256 for each in members]
    points = HandSetPoints(hashes[0], ((0.0, 0.0, 0.0, 0.0),) * 4)
    series = measure_series(
        "s",
        "vertex",
        members,
        Settings(strip=True),
        cache=NO_CACHE,
        corrections=Corrections(points={hashes[1]: points}),
    )
    assert series.outcomes[1].reason == reason
    assert strips == []


@pytest.mark.parametrize("asked", [True, False])
def test_a_band_is_painted_over_for_looking_and_left_out_of_the_scalp(monkeypatch, asked):
    """What finds the head sees no band; what is measured has an object where the band is."""
    picture = np.full((300, 900, 3), 180, np.uint8)
    band = headband_picture(4)[:, :700]
    picture[100 : 100 + band.shape[0], 100:800] = band
    looked_at = []

    class Segmenter:
        def segment(self, image, *, perturbations):
            looked_at.append(image)
            whole = np.ones(image.shape[:2], bool)
            return segmentation_of(np.ones(image.shape[:2]), whole)

    monkeypatch.setattr(pipeline, "read_photograph", lambda *_a, **_k: (picture, CaptureInfo()))
    monkeypatch.setattr(pipeline, "shared_segmenter", Segmenter)
    monkeypatch.setattr(pipeline, "check_quality", lambda *_args: Quality(()))
    monkeypatch.setattr(pipeline, "extract_features", lambda *_args, **_options: Features("anna"))
    analysis = analyse_photograph(_photograph(1), Settings(strip=asked))
    assert len(find_strip(looked_at[0]).ids) == (0 if asked else 9)
    assert analysis.strip.ids == (tuple(range(200, 209)) if asked else ())
    on_band, beside = np.s_[105:175, 105:745], np.s_[220:, :]
    for where, hidden in ((on_band, asked), (beside, False)):
        scalp, classes = analysis.segmentation.scalp[where], analysis.segmentation.classes[where]
        assert np.all(scalp != hidden)
        assert np.all((classes == RegionClass.OBJECT) == hidden)
        assert np.all((analysis.segmentation.hair_fraction[where] == 0.0) == hidden)


def test_markers_of_a_band_are_kept_in_the_cache(tmp_path):
    cache = RecordCache(tmp_path, pipeline.RECORD_TYPES, fingerprint="f")
    strip = StripMarkers((201, 205), np.arange(16.0).reshape(2, 4, 2), np.ones((1, 4, 2)), 3)
    cache.save(Analysis(None, None, None, strip=strip), "analysis", "a")
    again = cache.load("analysis", "a").strip
    assert (again.ids, again.mirrored) == ((201, 205), 3)
    np.testing.assert_array_equal(again.corners, strip.corners)
    np.testing.assert_array_equal(again.unread, strip.unread)


def test_the_interval_by_outline_knows_how_far_it_may_be_off(pairs, outlines):
    fraction = np.zeros((SIZE, SIZE))
    fraction[:, SIZE // 2 :] = 1.0
    striped = replace(_member(2, "bert", 0.5), photograph=_photograph(2))
    striped = replace(
        striped,
        analysis=replace(striped.analysis, segmentation=segmentation_of(fraction, disc(SIZE, 45))),
    )
    series = _measure([_member(1, "anna", 0.5), striped], Settings(allow_outline=True))
    coverages = []
    for dx in (0.0, 20.0):
        weights = carry_region(
            series.region,
            series.photographs[0].member.analysis.segmentation.grid,
            striped.analysis.segmentation,
            Shift(dx=dx),
        )
        coverages.append(np.average(fraction, weights=weights))
    sd = series.outcomes[1].measurement.registration_sd_fraction
    assert sd == pytest.approx(np.std(coverages, ddof=1), rel=1e-6)
    assert sd > 0.1


def test_a_bad_photograph_changes_no_other_number(pairs):
    good = [_member(n, "anna", 0.1 * n) for n in (1, 2, 3)]
    stranger = _member(4, "bert", 0.9)
    stranger.analysis.segmentation.glare[:] = True
    alone, together = _measure(good), _measure([*good, stranger, _unusable(5)])
    assert alone.outcomes == together.outcomes[:3]
    assert [each.status for each in together.outcomes[3:]] == [Status.REFUSED, Status.REJECTED]


def test_a_series_without_a_usable_photograph_still_accounts_for_all(pairs):
    series = _measure([_unusable(1), _unusable(2)])
    assert series.reference is None
    assert [each.reason.code for each in series.outcomes] == ["blurred", "blurred"]
    assert pairs == []


def test_a_region_that_is_too_small_is_a_refusal_with_its_reason(pairs):
    narrow = _member(2, "anna", 0.5)
    narrow.analysis.segmentation.glare[:, :78] = True
    series = _measure([_member(1, "anna", 0.5), narrow, _member(3, "anna", 0.5)])
    codes = {each.reason.code for each in series.outcomes if each.reason}
    measured = [each for each in series.outcomes if each.status is Status.MEASURED]
    assert codes <= {"region_too_small"}
    assert all(each.measurement is not None for each in measured)


def test_an_unexpected_error_stays_with_its_photograph(monkeypatch, caplog):
    def broken(_path, *, max_megapixels):
        message = "boom"
        raise RuntimeError(message)

    monkeypatch.setattr(pipeline, "read_photograph", broken)
    analysis = analyse_photograph(_photograph(1), Settings())
    assert analysis.status is Status.REJECTED
    assert analysis.reason.code == "internal_error"
    assert "boom" in analysis.reason.message
    assert "RuntimeError" in caplog.text


def test_an_unreadable_file_keeps_its_own_reason(monkeypatch):
    def truncated(_path, *, max_megapixels):
        raise ImageReadError("truncated", "It ends early.")

    monkeypatch.setattr(pipeline, "read_photograph", truncated)
    analysis = analyse_photograph(_photograph(1), Settings())
    assert analysis.reason == Reason("truncated", "It ends early.")


def test_every_photograph_of_the_catalog_has_one_outcome_and_one_step(monkeypatch, pairs):
    members = {
        number: _member(number, "anna", 0.3) if number != 2 else _unusable(2)
        for number in (1, 2, 3)
    }
    monkeypatch.setattr(
        pipeline,
        "analyse_photograph",
        lambda photograph, _settings: members[photograph.visit_date.month].analysis,
    )
    photographs = tuple(each.photograph for each in members.values())
    catalog = Catalog(Path(), photographs, ())
    steps: list[str] = []
    (series,) = track(catalog, Settings(), cache=NO_CACHE, on_step=steps.append)
    assert [each.name for each in series.outcomes] == [each.name for each in photographs]
    assert steps == [each.name for each in photographs]

from functools import cache

import numpy as np
import pytest

from scalptrack.segmentation.classical import ClassicalHair, hair_fraction_classical
from scalptrack.segmentation.classical_features import local_mean, pixel_features
from tests.segmentation.strand_patch import strand_patch

PAIRS = [
    ("light", "black", 8), ("light", "brown", 8), ("light", "blond", 14), ("light", "grey", 14),
    ("tan", "black", 8), ("tan", "white", 14), ("dark", "white", 20), ("dark", "grey", 14),
    ("dark", "black", 14),
]  # fmt: skip
"""Skin, hair, and the largest accepted error of coverage in points."""


cached_patch = cache(strand_patch)


def half_bare(skin, hair, seed=5, **options):
    """A patch whose left half is bare, so that there is known skin, and its mask."""
    bare = cached_patch(skin, "black", coverage=0.0, seed=seed, **options)
    hairy = cached_patch(skin, hair, coverage=0.6, seed=seed, patchy=0.6, **options)
    image = np.hstack([bare.image, hairy.image])
    fraction = np.hstack([bare.hair_fraction, hairy.hair_fraction])
    known = np.hstack([bare.region, np.zeros_like(bare.region)])
    region = np.hstack([np.zeros_like(bare.region), hairy.region])
    return image, fraction, known, region


@pytest.mark.parametrize(("skin", "hair", "tolerance"), PAIRS)
def test_coverage_is_recovered_when_skin_is_known(skin, hair, tolerance):
    image, fraction, known, region = half_bare(skin, hair)
    answer = hair_fraction_classical(image, region, skin_prior=known, seed=1)
    error = 100 * (answer.coverage_fraction(region) - fraction[region].mean())
    assert abs(error) < tolerance
    assert answer.skin_known


@pytest.mark.parametrize("skin", ["light", "tan", "dark"])
def test_bare_skin_has_no_hair_and_a_full_head_is_full(skin):
    bare = strand_patch(skin, "black", coverage=0.0, seed=3)
    known = bare.region.copy()
    known[:, 90:] = False
    region = bare.region & ~known
    answer = hair_fraction_classical(bare.image, region, skin_prior=known, seed=1)
    assert answer.coverage_fraction(region) < 0.08

    image, fraction, known, region = half_bare(skin, "white" if skin == "dark" else "black")
    dense = region & (fraction > 0.98)
    answer = hair_fraction_classical(image, region, skin_prior=known, seed=1)
    assert answer.hair_fraction[dense].mean() > 0.85


def test_fraction_is_in_its_range_and_zero_outside_the_region():
    image, _, known, region = half_bare("light", "black")
    fraction = hair_fraction_classical(image, region, skin_prior=known, seed=1).hair_fraction
    assert fraction.dtype == np.float32
    assert fraction.shape == region.shape
    assert fraction.min() >= 0
    assert fraction.max() <= 1
    assert not fraction[~region].any()
    assert fraction[region].any()


def test_pixels_are_right_one_by_one_not_only_on_average():
    image, fraction, known, region = half_bare("light", "black")
    answer = hair_fraction_classical(image, region, skin_prior=known, seed=1).hair_fraction
    assert np.corrcoef(answer[region], fraction[region])[0, 1] > 0.8


def test_the_same_seed_gives_the_same_answer_and_another_seed_nearly_the_same():
    image, _, known, region = half_bare("tan", "grey")
    first, second, other = (
        hair_fraction_classical(image, region, skin_prior=known, seed=seed) for seed in (1, 1, 2)
    )
    assert np.array_equal(first.hair_fraction, second.hair_fraction)
    change = other.coverage_fraction(region) - first.coverage_fraction(region)
    assert 0 < abs(change) < 0.01


def test_hair_that_looks_like_skin_is_less_separable_than_hair_that_does_not():
    def separability(skin, hair):
        image, _, known, region = half_bare(skin, hair)
        return hair_fraction_classical(image, region, skin_prior=known, seed=1).separability

    assert separability("light", "black") > separability("dark", "brown") + 0.05


def test_hair_known_beforehand_is_counted_as_hair():
    image, _, known, region = half_bare("light", "black")
    block = np.zeros_like(region)
    block[100:140, 350:400] = True
    without = hair_fraction_classical(image, region, skin_prior=known, seed=1)
    informed = hair_fraction_classical(
        image, region, skin_prior=known, hair_prior=block & region, seed=1
    )
    assert informed.hair_fraction.sum() != without.hair_fraction.sum()


def test_without_known_skin_it_says_so():
    image, _, _, region = half_bare("light", "black")
    answer = hair_fraction_classical(image, region, seed=1)
    assert not answer.skin_known
    assert "skin-assumed" in answer.confidence


def test_bare_skin_is_noted():
    bare = strand_patch("light", "black", coverage=0.0, seed=3)
    known = bare.region.copy()
    known[:, 90:] = False
    answer = hair_fraction_classical(bare.image, bare.region & ~known, skin_prior=known, seed=1)
    assert "only-skin" in answer.confidence


def test_wrong_input_is_refused():
    image = np.zeros((40, 40, 3), np.uint8)
    with pytest.raises(ValueError, match="region is empty"):
        hair_fraction_classical(image, np.zeros((40, 40), bool), seed=1)
    with pytest.raises(ValueError, match=r"The mask is \(30, 40\)"):
        hair_fraction_classical(image, np.ones((30, 40), bool), seed=1)
    with pytest.raises(ValueError, match="RGB uint8"):
        hair_fraction_classical(image.astype(float), np.ones((40, 40), bool), seed=1)


@pytest.mark.parametrize("size", [1, 3, 24])
def test_tiny_and_flat_regions_get_a_number(size):
    image = np.full((64, 64, 3), 128, np.uint8)
    region = np.zeros((64, 64), bool)
    region[20 : 20 + size, 20 : 20 + size] = True
    answer = hair_fraction_classical(image, region, seed=1)
    assert 0 <= answer.coverage_fraction(region) <= 1
    assert np.isfinite(answer.separability)


def test_nothing_outside_the_region_and_its_rim_changes_the_answer():
    image, _, known, region = half_bare("light", "black")
    region[:80], known[:80] = False, False
    spoilt = image.copy()
    spoilt[: 80 - 20] = 255
    first = hair_fraction_classical(image, region, skin_prior=known, seed=1)
    second = hair_fraction_classical(spoilt, region, skin_prior=known, seed=1)
    assert np.array_equal(first.hair_fraction, second.hair_fraction)


def test_local_mean_ignores_what_has_no_weight():
    values = np.zeros((60, 60), np.float32)
    values[:, 30:] = 8.0
    weights = np.zeros((60, 60), np.float32)
    weights[:, :30] = 1.0
    assert local_mean(values, weights, 4.0)[30, 25] == pytest.approx(0.0, abs=1e-4)
    assert local_mean(values, np.ones_like(weights), 4.0)[30, 25] > 0.5


def test_features_of_known_skin_do_not_change_with_exposure():
    image, _, known, region = half_bare("light", "black", noise=0.0)
    linear = (image / 255.0) ** 2.2
    darker = np.rint(255 * (0.7 * linear) ** (1 / 2.2)).astype(np.uint8)
    first, second = pixel_features(image, region, known), pixel_features(darker, region, known)
    # Flare and rounding to 8 bits keep this from being exact.
    assert np.median(np.abs(first - second), axis=0).max() < 0.25


def answer_with(separability, *, skin_known=True, coverage=0.5):
    fraction = np.full((4, 4), coverage, np.float32)
    return ClassicalHair(fraction, separability, 3.0, 3.0, skin_known)


@pytest.mark.parametrize(
    ("separability", "expected"),
    [(0.0, 0.30), (0.4, 0.25), (0.65, 0.17), (0.9, 0.09), (1.0, 0.07)],
)
def test_the_expected_error_falls_with_separability(separability, expected):
    assert answer_with(separability).error_sd_fraction == pytest.approx(expected)


def test_it_contradicts_only_beyond_both_errors_and_only_with_known_skin():
    region = np.ones((4, 4), bool)
    clear = answer_with(1.0)
    assert clear.contradicts(0.70, 0.03, region)
    assert clear.contradicts(0.30, 0.03, region)
    assert not clear.contradicts(0.62, 0.03, region)
    assert not clear.contradicts(0.70, 0.10, region)
    assert not answer_with(0.5).contradicts(0.70, 0.03, region)
    assert not answer_with(1.0, skin_known=False).contradicts(1.0, 0.03, region)

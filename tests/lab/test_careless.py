"""Careless photographs to train with (lab.training.careless)."""

from __future__ import annotations

import numpy as np
import pytest

from lab.training import careless as faults
from lab.training.careless import careless

SIZE = 96
SEEDS = range(12)


def scene(seed: int = 0) -> np.ndarray:
    """Dark strokes on skin: light (S, S, 3)."""
    rng = np.random.default_rng(seed)
    light = np.full((SIZE, SIZE, 3), (0.5, 0.35, 0.28), np.float32)
    light[:, rng.integers(0, SIZE, 25)] *= np.float32(0.15)
    return light


def taken(name: str, seed: int) -> np.ndarray:
    return getattr(faults, name)(np.random.default_rng(seed), scene())


def detail(light: np.ndarray) -> float:
    return float(np.abs(np.diff(light[..., 1], axis=1)).mean())


def test_the_same_seed_gives_the_same_light_and_leaves_the_scene_as_it_is():
    light = scene()
    first, again = (careless(np.random.default_rng(3), light) for _ in range(2))
    assert np.array_equal(first, again)
    assert np.array_equal(light, scene())
    assert not np.array_equal(first, light)


@pytest.mark.parametrize("seed", range(24))
def test_light_stays_light(seed):
    light = careless(np.random.default_rng(seed), scene())
    assert light.dtype == np.float32
    assert light.shape == (SIZE, SIZE, 3)
    assert np.isfinite(light).all()
    assert light.min() >= 0


def test_dark_is_darker_and_bright_is_brighter():
    assert all(taken("_dark", seed).mean() < scene().mean() for seed in SEEDS)
    assert all(taken("_bright", seed).mean() > 1.2 * scene().mean() for seed in SEEDS)


def test_a_cast_changes_the_balance_of_colours_alike_everywhere():
    for seed in SEEDS:
        gain = taken("_cast", seed) / scene()
        assert np.ptp(gain, axis=(0, 1)).max() < 1e-5
        assert np.ptp(np.log2(gain[0, 0])) > 0.1


def test_haze_takes_contrast_and_adds_no_blur():
    for seed in SEEDS:
        hazy = taken("_haze", seed)
        assert np.ptp(hazy) / hazy.mean() < 0.95 * np.ptp(scene()) / scene().mean()
        assert np.isclose(np.corrcoef(hazy[..., 1].ravel(), scene()[..., 1].ravel())[0, 1], 1)


@pytest.mark.parametrize("name", ["_side_light", "_shadow"])
def test_light_from_one_side_leaves_the_other_as_it_was_or_takes_from_it(name):
    share = [taken(name, seed) / scene() for seed in SEEDS]
    assert all(each.max() <= 1 + 1e-5 for each in share if name == "_side_light")
    assert np.median([np.ptp(each[..., 1]) for each in share]) > 0.3


@pytest.mark.parametrize("name", ["_disc", "_shake"])
def test_blur_takes_detail_and_no_light(name):
    blurred = [taken(name, seed) for seed in SEEDS]
    assert np.allclose([each.mean() for each in blurred], scene().mean(), rtol=0.03)
    assert np.mean([detail(each) for each in blurred]) < 0.8 * detail(scene())

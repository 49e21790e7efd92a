"""Crops keep their truth, the held-out split holds, and the shipped file keeps its contract."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from lab.strands.scene import render
from lab.strands.shards import pack, write_shard
from lab.training.dataset import HELD_OUT_EVERY, Pictures, draw_batch, draw_crop, unpack

MODEL = Path(__file__).parents[2] / "scalptrack" / "segmentation" / "model"


def test_held_out_seeds_are_never_trained_on(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("lab.strands.shards.PER_SHARD", 6)
    write_shard(tmp_path, 0, 64)
    kept = [facts["seed"] for *_, facts in Pictures([tmp_path], held_out=True).items]
    used = [facts["seed"] for *_, facts in Pictures([tmp_path], held_out=False).items]
    assert kept == [0, HELD_OUT_EVERY]
    assert used == [1, 2, 4, 5]


def test_crops_keep_truth_on_the_picture() -> None:
    # Light that equals the truth must still equal it after cropping, scaling and turning.
    scene = render(2, 256)
    light, packed = pack(scene)
    for channel in range(3):
        light[..., channel] = packed[..., 0]
    for seed in range(12):
        picture, truth = draw_crop(np.random.default_rng(seed), light, packed, 128)
        code = (picture[..., 0] / 2) ** (1 / 2.6)
        smooth = [cv2.GaussianBlur(a, (0, 0), 4).ravel() for a in (code, truth.fraction)]
        if smooth[1].std() > 0.02:
            assert np.corrcoef(smooth)[0, 1] > 0.9


def test_scaling_keeps_coverage() -> None:
    light, packed = pack(render(1, 256))
    whole = unpack(packed)
    for seed in range(30):
        _, truth = draw_crop(np.random.default_rng(seed), light, packed, 128)
        assert truth.classes.shape == (128, 128)
        assert 0 <= truth.fraction.min() <= truth.fraction.max() <= 1
        hair = (truth.classes == 2) & (truth.fraction < 0.5)
        assert not hair.any()
    assert whole.region.sum() > 0


def test_paired_pictures_share_their_truth(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("lab.strands.shards.PER_SHARD", 3)
    write_shard(tmp_path, 1, 128)
    pictures = Pictures([tmp_path], held_out=False)
    images, truth = draw_batch(np.random.default_rng(0), pictures, 4, 1, 64)
    assert images.shape == (4, 3, 64, 64)
    assert truth[3] is truth[0]
    assert not np.array_equal(images[3], images[0])


def test_model_matches_its_checksum() -> None:
    listed = (MODEL / "CHECKSUM").read_text(encoding="utf-8").split()
    digest = hashlib.sha256((MODEL / listed[1]).read_bytes()).hexdigest()
    assert digest == listed[0]
    assert (MODEL / listed[1]).stat().st_size < 3_600_000


@pytest.mark.parametrize("shape", [(256, 256), (384, 384), (256, 320)])
def test_model_answers_with_activated_maps(shape) -> None:
    net = cv2.dnn.readNetFromONNX(str(MODEL / "scalpnet.onnx"))
    image = np.random.default_rng(0).random((1, 3, *shape), np.float32)
    net.setInput(image)
    maps = net.forward()
    assert maps.shape == (1, 8, *shape)
    assert np.allclose(maps[0, :5].sum(0), 1, atol=1e-4)
    assert maps.min() >= 0
    assert maps.max() <= 1

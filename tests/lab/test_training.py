"""Crops keep their truth, the held-out split holds, and the shipped file keeps its contract."""

import hashlib
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from lab.strands.scene import render, shows, view_of
from lab.strands.shards import HELD_OUT_EVERY, pack, read_shard, write_shard
from lab.training.aims import AIMS
from lab.training.batches import ELSEWHERE_SHARE, draw_batch, elsewhere
from lab.training.cycles import BEYOND, Photographs, draw_photograph, read_photograph
from lab.training.dataset import (
    BEYOND_LIGHT,
    DETAIL_HEAD_PX,
    FINER_HEAD_PX,
    Pictures,
    Truth,
    detail_head_px,
    draw_crop,
    shows_finer,
    unpack,
)
from scalptrack.segmentation.crops import FINER_PX, INPUT_PX
from scalptrack.segmentation.network import MODEL_NAMES

HEADS = AIMS["heads"]
MODEL = Path(__file__).parents[2] / "scalptrack" / "segmentation" / "model"


def test_held_out_seeds_are_never_trained_on(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("lab.strands.shards.PER_SHARD", 6)
    write_shard(tmp_path, 0, 64)
    kept = [facts["seed"] for *_, facts in Pictures([tmp_path], held_out=True).items]
    used = [facts["seed"] for *_, facts in Pictures([tmp_path], held_out=False).items]
    assert kept == [0, HELD_OUT_EVERY]
    assert used == [1, 2, 4, 5]


def test_training_shards_leave_held_out_seeds_unrendered(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("lab.strands.shards.PER_SHARD", 6)
    write_shard(tmp_path, 0, 64, all_seeds=False)
    assert not Pictures([tmp_path], held_out=True).items
    used = [facts["seed"] for *_, facts in Pictures([tmp_path], held_out=False).items]
    assert used == [1, 2, 4, 5]


def test_crops_keep_truth_on_the_picture(monkeypatch) -> None:
    monkeypatch.setattr("lab.training.dataset.FRAMED_SHARE", 0.0)
    # Light that equals the truth must still equal it after cropping, scaling and turning.
    scene = render(2, 256)
    light, packed = pack(scene)
    for channel in range(3):
        light[..., channel] = packed[..., 0]
    for seed in range(12):
        picture, truth = draw_crop(np.random.default_rng(seed), light, packed, 128, HEADS)
        code = (picture[..., 0] / 2) ** (1 / 2.6)
        smooth = [cv2.GaussianBlur(a, (0, 0), 4).ravel() for a in (code, truth.fraction)]
        if smooth[1].std() > 0.02:
            assert np.corrcoef(smooth)[0, 1] > 0.9


def test_heads_with_the_pixels_are_also_shown_at_the_finer_scale() -> None:
    rng = np.random.default_rng(3)
    assert not any(shows_finer(rng, 0.8 * FINER_HEAD_PX) for _ in range(50))
    assert 60 < sum(shows_finer(rng, FINER_HEAD_PX) for _ in range(200)) < 140
    for finer, middle in ((False, DETAIL_HEAD_PX), (True, FINER_HEAD_PX)):
        sizes = np.array([detail_head_px(rng, finer=finer) for _ in range(400)])
        assert np.median(sizes) == pytest.approx(middle, rel=0.05)
        assert np.ptp(sizes) < middle / 2


def test_crops_of_large_pictures_are_found_by_every_second_pixel(monkeypatch) -> None:
    monkeypatch.setattr("lab.training.dataset.FRAMED_SHARE", 0.0)
    # A scalp in one corner: crops around it show it, however finely it is searched.
    size = 800
    light, packed = (np.zeros((size, size, 3), np.uint8) for _ in range(2))
    packed[500:760, 500:760, 1] = 1 + 8
    shares = []
    for seed in range(40):
        _, truth = draw_crop(np.random.default_rng(seed), light, packed, 320, HEADS)
        shares.append(truth.region.mean())
    assert np.median(shares) > 0.25  # In the whole picture it fills 0.1.


def test_scaling_keeps_coverage() -> None:
    light, packed = pack(render(1, 256))
    whole = unpack(packed)
    for seed in range(30):
        _, truth = draw_crop(np.random.default_rng(seed), light, packed, 128, HEADS)
        assert truth.classes.shape == (128, 128)
        assert 0 <= truth.fraction.min() <= truth.fraction.max() <= 1
        hair = (truth.classes == 2) & (truth.fraction < 0.5)
        assert not hair.any()
    assert whole.region.sum() > 0


def test_paired_pictures_share_their_truth(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("lab.strands.shards.PER_SHARD", 3)
    write_shard(tmp_path, 1, 128)
    pictures = Pictures([tmp_path], held_out=False)
    none = Photographs([tmp_path])
    images, truth = draw_batch(np.random.default_rng(0), pictures, none, 64, 4, 1, 0.5, HEADS)
    assert images.shape == (4, 3, 64, 64)
    assert truth[3] is truth[0]
    assert not np.array_equal(images[3], images[0])


def test_pictures_without_a_head_have_no_scalp_and_no_hair(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("lab.strands.shards.PER_SHARD", 3)
    write_shard(tmp_path, 1, 128)
    pictures, none = Pictures([tmp_path], held_out=False), Photographs([tmp_path])
    nobody, somebody = (replace(HEADS, nobody=share) for share in (1.0, 0.0))
    images, truth = draw_batch(np.random.default_rng(0), pictures, none, 64, 5, 0, 0.5, nobody)
    assert all(not each.region.any() and not each.fraction.any() for each in truth)
    assert min(image.std() for image in images) > 0.001
    _, truth = draw_batch(np.random.default_rng(0), pictures, none, 64, 5, 0, 0.5, somebody)
    assert any(each.region.any() for each in truth)


def _cycles_photograph(folder: Path, scalp: np.ndarray) -> Path:
    """Files as lab/phantom writes them: the picture shows exactly its hair fraction."""
    hair = np.zeros(scalp.shape, np.uint8)
    middle = np.median(np.nonzero(scalp)[1])
    hair[scalp & (np.arange(scalp.shape[1]) > middle)] = 255
    Image.fromarray(np.dstack([hair] * 3)).save(folder / "p.jpg", quality=98)
    Image.fromarray(hair).save(folder / "p.hair.png")
    Image.fromarray(np.where(hair > 0, 2, scalp.astype(np.uint8))).save(folder / "p.classes.png")
    np.savez(folder / "p.surface.npz", label=scalp.astype(np.uint8), incidence_cosine=scalp * 0.8)
    (folder / "p.json").write_text('{"seconds": 1}')
    return folder / "p.json"


@pytest.mark.parametrize("size", [320, 192])
def test_photographs_keep_truth_on_the_picture(tmp_path, size) -> None:
    y, x = np.mgrid[:400, :300]
    scalp = np.hypot(x - 150, y - 200) < 90
    photograph = read_photograph(_cycles_photograph(tmp_path, scalp))
    assert photograph is not None
    assert photograph.extent_px == pytest.approx(178, abs=1)
    for seed in range(10):
        light, truth = draw_photograph(np.random.default_rng(seed), photograph, size, HEADS)
        shown = light[..., 0] ** (1 / 2.2)
        inside = truth.region > 0
        assert abs(shown[inside].mean() - truth.fraction[inside].mean()) < 0.05
        seen = np.abs(shown - BEYOND / 255) > 0.01  # Grey stands for what is beyond the frame.
        assert np.corrcoef(shown[seen], truth.fraction[seen])[0, 1] > 0.9


def test_unfinished_and_sideways_photographs_are_left_out(tmp_path) -> None:
    y, x = np.mgrid[:400, :300]
    scalp = np.hypot(x - 150, y - 200) < 90
    document = _cycles_photograph(tmp_path, scalp)
    assert len(Photographs([tmp_path]).items) == 1
    document.write_text("{}")
    assert not Photographs([tmp_path]).items
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(tmp_path / "p.jpg").save(tmp_path / "p.jpg", exif=exif)
    assert read_photograph(document) is None


def test_models_match_their_checksums() -> None:
    listed = (MODEL / "CHECKSUM").read_text(encoding="utf-8").splitlines()
    assert len(listed) == len(MODEL_NAMES)
    for line in listed:
        checksum, name = line.split()
        assert hashlib.sha256((MODEL / name).read_bytes()).hexdigest() == checksum
        assert (MODEL / name).stat().st_size < 8_000_000


@pytest.mark.parametrize("name", MODEL_NAMES)
@pytest.mark.parametrize("side", [INPUT_PX, FINER_PX])
def test_models_answer_with_activated_maps(name, side) -> None:
    net = cv2.dnn.readNetFromONNX(str(MODEL / name))
    image = np.random.default_rng(0).random((1, 3, side, side), np.float32)
    net.setInput(image)
    maps = net.forward()
    assert maps.shape == (1, 9, side, side)
    assert np.allclose(maps[0, :5].sum(0), 1, atol=1e-4)
    assert maps.min() >= 0
    assert maps.max() <= 1


def test_crops_of_strands_also_reach_past_the_frame(tmp_path) -> None:
    size = 96
    light = np.full((size, size, 3), 200, np.uint8)
    packed = np.full((size, size, 3), 255, np.uint8)
    packed[..., 1] = 2 + 8
    framed = 0
    for seed in range(60):
        picture, truth = draw_crop(np.random.default_rng(seed), light, packed, size, HEADS)
        beyond = np.isclose(picture, BEYOND_LIGHT).all(-1)
        framed += bool(beyond.any())
        assert not truth.classes[beyond].any()
        assert not truth.fraction[beyond].any()
        assert truth.region[~beyond].all()
        assert beyond.mean() < 0.7
    assert 8 < framed < 30


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_shipped_network_can_be_restored(tmp_path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from lab.training.export import export
    from lab.training.network import Answer, Segmenter, network_of
    from lab.training.restore import KERNEL_SD, restore

    torch.manual_seed(1)
    network = Segmenter()
    for name, value in network.named_parameters():
        if name.endswith("bias"):  # Equal ones would be stored once.
            torch.nn.init.normal_(value, 0, 0.1)
    torch.save({"average": network.state_dict()}, tmp_path / "1.pt")
    shipped = export(tmp_path / "1.pt", tmp_path / "shipped", MODEL_NAMES[0])
    weights = torch.load(restore(shipped, tmp_path / "again.pt"), weights_only=True)["average"]
    image = np.random.default_rng(1).random((1, 3, INPUT_PX, INPUT_PX)).astype(np.float32)
    net = cv2.dnn.readNetFromONNX(str(shipped))
    net.setInput(image)
    with torch.inference_mode():
        again = Answer(network_of(weights)).eval()(torch.from_numpy(image)).numpy()
    np.testing.assert_allclose(again, net.forward(), atol=1e-4)
    assert all(not weights[name].any() for name in weights if name.startswith("coarse."))
    second = export(tmp_path / "1.pt", shipped.parent, MODEL_NAMES[1])
    listed = [line.split()[1] for line in (second.parent / "CHECKSUM").read_text().splitlines()]
    assert listed == [shipped.name, second.name]
    for name in ("stem.0", "down.2.1.0", "join.3.0"):
        sizes = weights[f"{name}.weight"].flatten(1).std(1)
        torch.testing.assert_close(sizes, torch.full_like(sizes, KERNEL_SD))


def test_a_widened_network_answers_the_same_and_can_learn_more() -> None:
    torch = pytest.importorskip("torch")
    from lab.training.network import Segmenter, network_of, widened

    torch.manual_seed(1)
    narrow = Segmenter((4, 6, 8, 10, 12)).eval()
    for layer in narrow.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(layer.running_mean, 0, 0.1)
            torch.nn.init.uniform_(layer.weight, 0.5, 2)
    given = network_of(narrow.state_dict()).eval()
    wide = widened(given, Segmenter((6, 9, 8, 12, 14))).eval()
    image = torch.rand(2, 3, 64, 96)
    torch.testing.assert_close(wide(image), narrow(image), atol=1e-4, rtol=1e-4)
    wide(image).square().sum().backward()
    assert wide.join[0][0].weight.grad[:, -1].abs().max() > 0
    with pytest.raises(ValueError, match="is not wider"):
        widened(wide, Segmenter((4, 6, 8, 10, 12)))


def test_the_loss_is_lowest_at_the_truth() -> None:
    torch = pytest.importorskip("torch")
    from lab.training.losses import TERMS, Targets, losses

    classes = torch.zeros(2, 64, 64, dtype=torch.int64)
    classes[:, 20:50, 20:50] = 2
    region = (classes == 2).float()
    targets = Targets(classes, 0.7 * region, region, 0.8 * region)
    doubt = 0 * region
    want = [*torch.nn.functional.one_hot(classes, 5).unbind(-1), 0.7 * region, region]
    want += [0.8 * region, doubt]
    raw = torch.logit(torch.stack([each.float() for each in want], 1), 1e-4)
    coarse = [raw[:, :7, ::4, ::4]]
    right = losses(raw, coarse, targets, 1)
    assert len(right) == len(TERMS)
    asked = ((2, "classes"), (5, "coverage"), (5, "patches"), (6, "region"), (7, "cosine"))
    for channel, name in asked:
        wrong = raw.clone()
        wrong[:, channel] *= -0.5
        term = TERMS.index(name)
        assert losses(wrong, coarse, targets, 1)[term] > right[term] + 0.01
    nothing = Targets(classes, 0 * region, 0 * region, 0 * region)
    assert losses(raw, coarse, nothing, 1)[TERMS.index("coverage")] == 0


def test_the_doubt_is_asked_to_be_the_error_and_does_not_move_it() -> None:
    torch = pytest.importorskip("torch")
    from lab.training.losses import TERMS, Targets, losses

    region = torch.zeros(2, 64, 64)
    region[:, 10:54, 10:54] = 1
    targets = Targets(region.long(), 0.5 * region, region, region)
    term = TERMS.index("doubt")

    def of(doubt):
        raw = torch.zeros(2, 9, 64, 64)
        raw[:, 5] = torch.logit(torch.tensor(0.7))  # Off by 0.2 everywhere.
        raw[:, 8] = torch.logit(torch.tensor(doubt))
        raw.requires_grad_()
        value = losses(raw, [raw[:, :7, ::4, ::4]], targets, 1)[term]
        value.backward()
        return value.item(), raw.grad

    values = {doubt: of(doubt)[0] for doubt in (0.05, 0.12, 0.192, 0.3, 0.6)}
    assert min(values, key=values.get) == 0.192  # 0.2 with the floor of 0.01 taken off.
    _, gradient = of(0.05)
    assert gradient[:, 8].abs().max() > 0
    assert gradient[:, :8].abs().max() == 0


def test_some_crops_are_around_other_skin(monkeypatch) -> None:
    monkeypatch.setattr("lab.training.dataset.FRAMED_SHARE", 0.0)
    size = 128
    packed = np.zeros((size, size, 3), np.uint8)
    packed[20:60, 20:60, 1] = 1 + 8
    packed[90:120, 90:120, 1] = 3
    light = np.full((size, size, 3), 128, np.uint8)
    shares = []
    for seed in range(300):
        _, truth = draw_crop(np.random.default_rng(seed), light, packed, 96, HEADS)
        shares.append(((truth.classes == 3).mean(), truth.region.mean()))
    alone = [skin > 0.3 and scalp < 0.01 for skin, scalp in shares]
    assert 5 < sum(alone) < 60


def test_a_shard_of_one_view_holds_nothing_else(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("lab.strands.shards.PER_SHARD", 60)
    views = [view_of(seed, 64) for seed in range(60)]
    assert len(set(views)) >= 6
    write_shard(tmp_path, 0, 64, wanted=partial(shows, "occipital"))
    found = Pictures([tmp_path], held_out=False)
    found.items += Pictures([tmp_path], held_out=True).items
    assert {facts["view"] for *_, facts in found.items} == {"occipital"}
    assert len(found.items) == views.count("occipital")
    nothing = write_shard(tmp_path, 1, 64, wanted=lambda seed: False)
    assert not list(read_shard(nothing))


def test_portraits_are_drawn_more_often(tmp_path) -> None:
    pictures = Pictures([tmp_path], held_out=False)
    nothing = np.zeros((4, 4, 3), np.uint8)
    pictures.items = [(nothing, nothing, {"seed": seed}) for seed in range(20)]
    pictures.portraits = [3]
    rng = np.random.default_rng(0)
    drawn = [pictures.draw(rng, HEADS)[2]["seed"] for _ in range(2000)]
    assert 0.2 < np.mean(np.array(drawn) == 3) < 0.29
    assert 0.03 < np.mean(np.array(drawn) == 4) < 0.06


def test_people_are_shown_before_other_backgrounds() -> None:
    rng = np.random.default_rng(3)
    light = np.full((48, 48, 3), 0.5, np.float32)
    zero = np.zeros((48, 48), np.float32)
    classes = zero.astype(np.int64)
    classes[12:36, 12:36] = 1
    hair = zero.copy()
    hair[6:9, 6:9] = 0.3
    truth = Truth(classes, hair, zero, zero)
    drawn = [elsewhere(rng, light, truth)[0] for _ in range(80)]
    moved = [each for each in drawn if each is not light]
    assert 0.1 < len(moved) / len(drawn) < 2 * ELSEWHERE_SHARE
    for each in moved:
        assert np.abs(each[13:35, 13:35] - 0.5).max() < 0.02
        assert np.abs(each[7, 7] - 0.5).max() < 0.02
        assert np.abs(each[:4] - 0.5).mean() > 0.005
    loose = Truth(classes, zero + 0.3, zero, zero)
    assert all(elsewhere(rng, light, loose)[0] is light for _ in range(40))


def _little_to_learn(folder: Path, monkeypatch) -> None:
    """A shard of three small pictures, of which training takes two crops a batch."""
    monkeypatch.setattr("lab.strands.shards.PER_SHARD", 3)
    monkeypatch.setattr("lab.training.train.SIZES", ((64, 2),))
    monkeypatch.setattr("lab.training.train.half_precision_is_fast", lambda: False)
    write_shard(folder, 1, 96)


def test_coarse_answers_that_were_not_given_ask_nothing(tmp_path, monkeypatch) -> None:
    torch = pytest.importorskip("torch")
    from lab.training import train as module
    from lab.training.network import Segmenter

    _little_to_learn(tmp_path, monkeypatch)
    torch.manual_seed(2)
    begun = Segmenter().state_dict()

    def moved(given: dict[str, torch.Tensor], name: str, iterations: int = 2) -> set[str]:
        torch.save({"average": given}, tmp_path / f"{name}_given.pt")
        start, out = tmp_path / f"{name}_given.pt", tmp_path / f"{name}.pt"
        plan = module.Plan(iterations)
        module.train([tmp_path], [], out, plan, start_from=start, fixed_norms=True)
        after = torch.load(out, weights_only=True)["network"]
        names = {each.split(".")[0] for each in given if not torch.equal(after[each], given[each])}
        assert {"stem", "answer"} < names
        return names

    assert "coarse" in moved(begun, "taught")
    bare = {k: torch.zeros_like(v) if k.startswith("coarse.") else v for k, v in begun.items()}
    assert "coarse" not in moved(bare, "bare")
    assert "coarse" not in moved(bare, "bare", iterations=3)  # Goes on where that ended.


def test_a_network_between_two_has_the_weights_between_theirs(tmp_path) -> None:
    torch = pytest.importorskip("torch")
    from lab.training.average import average
    from lab.training.network import Segmenter

    torch.manual_seed(3)
    ends = [Segmenter(widths=(4, 4, 4, 4, 4)) for _ in range(2)]
    paths = [tmp_path / "before.pt", tmp_path / "after.pt"]
    for end, path in zip(ends, paths, strict=True):
        torch.save({"average": end.state_dict()}, path)
    found = torch.load(average(*paths, tmp_path / "mean.pt", 0.25), weights_only=True)["average"]
    before, after = (end.stem[0].weight for end in ends)
    torch.testing.assert_close(found["stem.0.weight"], 0.75 * before + 0.25 * after)
    assert found["stem.1.num_batches_tracked"].dtype == torch.int64
    torch.save({"average": Segmenter(widths=(4, 4, 4, 4, 8)).state_dict()}, paths[0])
    with pytest.raises(ValueError, match=r"before.pt and after.pt are not of one shape"):
        average(*paths, tmp_path / "mean.pt")


def test_a_network_for_hair_is_shown_scalps(tmp_path, monkeypatch) -> None:
    hair = AIMS["hair"]
    pictures = Pictures([tmp_path], held_out=False)
    for seed, reach in enumerate((0, 30, 100)):
        packed = np.zeros((160, 160, 3), np.uint8)
        packed[:reach, :reach, 1] = 1 + 8
        pictures.items.append((np.full((160, 160, 3), 90, np.uint8), packed, {"seed": seed}))
    pictures.portraits = [0]
    rng = np.random.default_rng(2)
    drawn = {pictures.draw(rng, hair)[2]["seed"] for _ in range(60)}
    assert drawn == {1, 2}
    truths = draw_batch(rng, pictures, Photographs([tmp_path]), 64, 40, 0, 0.5, hair)[1]
    assert np.mean([each.region.mean() > 0.1 for each in truths]) > 0.9
    pictures.items = pictures.items[:1]
    assert pictures.draw(rng, hair)[2]["seed"] == 0  # Nothing else is there.


def test_an_aim_weighs_terms_that_there_are() -> None:
    pytest.importorskip("torch")
    from lab.training.losses import TERMS

    for aim in AIMS.values():
        assert set(aim.weights) <= set(TERMS)
    assert AIMS["hair"].weights["coverage"] > 1 > AIMS["hair"].weights["classes"]


def test_weights_of_the_aim_scale_the_loss(tmp_path, monkeypatch) -> None:
    torch = pytest.importorskip("torch")
    from lab.training import train as module

    _little_to_learn(tmp_path, monkeypatch)
    biases = {}
    for name, weight in (("all", 1.0), ("none", 0.0)):
        asked = replace(AIMS["hair"], weights=dict.fromkeys(module.TERMS, weight))
        monkeypatch.setitem(module.AIMS, "hair", asked)
        plan = module.Plan(1, aim="hair", widths=(8, 8, 8, 8, 8), optimiser="muon", warm_up=1)
        torch.manual_seed(plan.seed)
        begun = module.Segmenter(plan.widths).state_dict()
        out = module.train([tmp_path], [], tmp_path / f"{name}.pt", plan)
        biases[name] = torch.load(out, weights_only=True)["network"]["answer.bias"]
    torch.testing.assert_close(biases["none"], begun["answer.bias"])
    assert (biases["all"] - begun["answer.bias"]).abs().max() > 0.5 * plan.rate_at(0)

"""`catalog`, `check`, `segment` and `register` from the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from scalptrack import recognition
from scalptrack.cli.main import main
from scalptrack.errors import HeadNotFoundError
from scalptrack.filenames import VIEWS
from scalptrack.quality import RecognisedView
from scalptrack.records import Reason, Registration, Tier


@pytest.fixture(scope="module")
def photograph(samples) -> Path:
    return sorted((samples / "subject-03" / "vertex").glob("2024-06-03*.jpg"))[0]


@pytest.fixture(scope="module")
def baseline(samples) -> Path:
    return sorted((samples / "subject-03" / "vertex").glob("2024-03-04*.jpg"))[0]


@pytest.fixture
def empty_wall(tmp_path) -> Path:
    noise = np.random.default_rng(3).normal(150, 6, (600, 500, 3))
    path = tmp_path / "wall.jpg"
    Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8)).save(path, quality=92)
    return path


def _invoke(*arguments: object):
    return CliRunner().invoke(main, [str(each) for each in arguments])


def test_catalog_lists_what_was_understood_and_what_was_not(few_photographs, tmp_path):
    manifest = tmp_path / "manifest.csv"
    result = _invoke("catalog", few_photographs, "--json", "--write-manifest", manifest)
    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert document["schema"] == "scalptrack.catalog/1"
    assert len(document["photographs"]) == 3
    assert {each["reason_code"] for each in document["rejected"]} == {
        "truncated",
        "not_a_photograph",
        "duplicate_of",
    }
    assert manifest.read_text(encoding="utf-8").splitlines()[0].startswith("photo,subject,view")


def test_catalog_recognises_views_that_nothing_names(photograph, tmp_path, monkeypatch):
    folder = tmp_path / "photos"
    (folder / "vertex").mkdir(parents=True)
    for number, name in enumerate(("IMG 2024-01-05.jpg", "IMG 2024-01-06.jpg", "vertex/a.jpg")):
        with Image.open(photograph) as image:
            pixels = np.asarray(image.resize((90, 120))).copy()
        pixels[0, 0] = number * 100
        Image.fromarray(pixels).save(folder / name, exif=Image.Exif())
    (folder / "vertex" / "a.jpg").rename(folder / "vertex" / "2024-01-05.jpg")
    answers = [
        RecognisedView("frontal", dict.fromkeys(VIEWS, 0.0) | {"frontal": 0.993}),
        RecognisedView(None, dict.fromkeys(VIEWS, 1 / 6)),
    ]
    monkeypatch.setattr(recognition, "shared_segmenter", Mock)
    monkeypatch.setattr(recognition, "recognise_view", Mock(side_effect=list(answers)))
    manifest = tmp_path / "manifest.csv"
    result = _invoke("catalog", folder, "--write-manifest", manifest)
    assert result.exit_code == 0, result.output
    assert (
        "view recognised  IMG 2024-01-05.jpg: frontal (0.99). Look at it, and write yes in the "
        "manifest's column view_confirmed.\n"
        "view unsure  IMG 2024-01-06.jpg: name its view, or write it in the manifest.\n"
    ) in result.stdout
    assert "photos/IMG 2024-01-05.jpg,photos,frontal,2024-01-05,,no" in manifest.read_text()
    monkeypatch.setattr(recognition, "recognise_view", Mock(side_effect=list(answers)))
    document = json.loads(_invoke("catalog", folder, "--json").stdout)
    assert document["recognised_views"] == []
    again = _invoke("catalog", folder, "--json", "--write-manifest", manifest)
    found = json.loads(again.stdout)["recognised_views"]
    assert [(each["photo"], each["view"]) for each in found] == [
        ("IMG 2024-01-05.jpg", "frontal"),
        ("IMG 2024-01-06.jpg", None),
    ]
    waiting = json.loads(_invoke("catalog", manifest, "--json").stdout)
    assert [each["reason_code"] for each in waiting["rejected"]] == ["unconfirmed_view"]


def test_check_says_that_a_side_is_filed_under_vertex(samples):
    misfiled = samples / "subject-02" / "vertex" / "2024-09-16.jpg"
    document = json.loads(_invoke("check", misfiled, "--json").stdout)
    (found,) = (each for each in document["findings"] if each["code"] == "view_mismatch")
    assert found["severity"] == "warning"
    assert found["advice"].startswith("This looks like the left-temporal view, and its name says")
    assert document["photographs"][0]["recognised_view"]["view"] == "left-temporal"


def test_check_accepts_a_good_photograph(photograph):
    result = _invoke("check", photograph, "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 0, result.output
    assert document["usable"] is True
    assert document["photographs"][0]["usable"] is True


def test_check_says_what_is_wrong_with_a_picture_without_a_head(empty_wall):
    result = _invoke("check", empty_wall, "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert document["usable"] is False
    assert "no_head" in {each["code"] for each in document["findings"]}
    assert all(each["advice"] for each in document["findings"])


def test_check_names_a_messengers_copy_and_does_not_refuse_it(photograph, tmp_path):
    copy = tmp_path / "IMG-20240603-WA0007.jpg"
    with Image.open(photograph) as image:
        Image.fromarray(np.asarray(image)).save(copy, quality=92)
    result = _invoke("check", copy)
    assert result.exit_code == 0, result.output
    assert (
        "  info: messenger copy. This is a messenger's copy: smaller, compressed" in result.stdout
    )
    (found,) = [
        each
        for each in json.loads(_invoke("check", copy, "--json").stdout)["findings"]
        if each["severity"] == "info"
    ]
    assert found["code"] == "messenger_copy"


def test_segment_writes_maps_of_the_upright_size(photograph, tmp_path):
    result = _invoke("segment", photograph, "--out", tmp_path, "--json")
    assert result.exit_code == 0, result.output
    (document,) = json.loads(result.stdout)["photographs"]
    with Image.open(photograph) as image:
        size = image.size
    hair = np.asarray(Image.open(tmp_path / f"{photograph.stem}.hair.png"))
    classes = np.asarray(Image.open(tmp_path / f"{photograph.stem}.classes.png"))
    assert hair.shape == classes.shape == (size[1], size[0])
    assert hair.dtype == classes.dtype == np.uint8
    assert set(np.unique(classes)) <= {0, 1, 2, 3, 4}
    assert (tmp_path / f"{photograph.stem}.overlay.jpg").is_file()
    coverage = document["coverage_fraction"]
    assert document["coverage_low_fraction"] < coverage < document["coverage_high_fraction"]
    head = np.isin(classes, (1, 2))
    assert abs(hair[head].mean() / 255 - document["coverage_fraction"]) < 0.25
    assert document["region_px"] <= head.size
    assert 0 <= document["excluded_fraction"] < 1


def test_segment_gives_a_reason_where_there_is_no_head(empty_wall, tmp_path):
    result = _invoke("segment", empty_wall, "--out", tmp_path / "out", "--json")
    (document,) = json.loads(result.stdout)["photographs"]
    assert result.exit_code == 1
    assert document["coverage_fraction"] is None
    assert document["reason"]
    # What was seen instead is shown, at the photograph's size.
    with Image.open(empty_wall) as wall:
        size = wall.size
    assert set(document["files"]) == {"hair", "classes", "overlay"}
    with Image.open(tmp_path / "out" / document["files"]["classes"]) as classes:
        assert classes.size == size


def test_segment_shows_what_it_saw_of_a_photograph_too_bad_to_be_measured(photograph, tmp_path):
    small = tmp_path / "small.jpg"
    with Image.open(photograph) as image:
        image.resize((image.width // 8, image.height // 8)).save(small, quality=95)
        size = (image.width // 8, image.height // 8)
    result = _invoke("segment", small, "--out", tmp_path / "out", "--json")
    (document,) = json.loads(result.stdout)["photographs"]
    assert result.exit_code == 1
    assert (document["status"], document["coverage_fraction"]) == ("rejected", None)
    assert document["reason"].startswith("small.jpg can't be measured: low resolution")
    with Image.open(tmp_path / "out" / document["files"]["hair"]) as hair:
        assert hair.size == size


@pytest.fixture
def hair_refusal(monkeypatch):
    """Features refuse every pair as if hair covered the scalp."""
    reason = Reason("hair_covers_scalp", "could not be aligned with the baseline: hair.")
    refused = Registration(Tier.C, None, (), float("nan"), 3, 0.0, (), reason)
    monkeypatch.setattr("scalptrack.single.register", lambda *_args, **_kwargs: refused)


def test_register_uses_the_outline_only_when_it_is_allowed(
    baseline, photograph, hair_refusal, tmp_path
):
    points = tmp_path / "points.csv"
    points.write_text("450,600\n")
    refused = _invoke("register", baseline, photograph, "--json")
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["method"] is None
    arguments = ("register", baseline, photograph, "--allow-outline", "--points", points)
    document = json.loads(_invoke(*arguments, "--json").stdout)
    assert (document["status"], document["tier"]) == ("registered", "B")
    assert document["method"] == "outline"
    assert document["residual_px"] is None
    assert "outline_agreement" in {gate["name"] for gate in document["gates"]}
    result = _invoke(*arguments)
    assert result.exit_code == 0, result.output
    first, second = result.stdout.splitlines()
    assert re.fullmatch(
        r"registered, tier B, by the outline alone: overlap [01]\.\d\d\. Another person with such "
        r"hair would look the same\.",
        first,
    )
    assert re.fullmatch(r"point 1: \d+\.\d\d,\d+\.\d\d", second)


def test_two_photographs_with_one_name_keep_their_own_maps(photograph, baseline, tmp_path):
    paths = []
    for folder, source in (("one", photograph), ("two", baseline)):
        (tmp_path / folder).mkdir()
        paths.append(tmp_path / folder / "a.jpg")
        paths[-1].write_bytes(source.read_bytes())
    result = _invoke("segment", *paths, "--out", tmp_path / "out", "--json")
    files = [each["files"]["hair"] for each in json.loads(result.stdout)["photographs"]]
    assert len(set(files)) == 2
    assert all((tmp_path / "out" / name).is_file() for name in files)


def test_register_carries_points_and_names_those_that_are_not_visible(
    baseline, photograph, tmp_path
):
    points = tmp_path / "points.csv"
    points.write_text("x,y\n450,600\n1,1\n")
    arguments = ["register", baseline, photograph, "--points", points]
    result = _invoke(*arguments, "--out", tmp_path / "out", "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 0, result.output
    assert (document["status"], document["tier"]) == ("registered", "A")
    assert document["points"][1] is None
    assert np.hypot(*(np.array(document["points"][0]) - (450, 600))) < 250
    assert (tmp_path / "out" / "aligned.jpg").is_file()
    assert json.loads((tmp_path / "out" / "registration.json").read_text()) == document


def test_register_refuses_a_mirrored_photograph(baseline, photograph, tmp_path):
    mirrored = tmp_path / "mirrored.jpg"
    with Image.open(photograph) as image:
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(mirrored, quality=95)
    result = _invoke("register", baseline, mirrored, "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert document["status"] == "refused"
    assert document["transform"] is None
    assert document["reason"]


def test_points_that_are_no_numbers_are_named_by_line(baseline, photograph, tmp_path):
    points = tmp_path / "points.csv"
    points.write_text("x,y\n450,600\nleft,top\n")
    result = _invoke("register", baseline, photograph, "--points", points)
    assert result.exit_code == 2
    assert "points.csv, line 3: 2 numbers are expected" in result.stderr


def test_too_few_pairs_are_refused(baseline, photograph, tmp_path):
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("1,2,3,4\n5,6,7,8\n")
    result = _invoke("register", baseline, photograph, "--points-file", pairs)
    assert result.exit_code == 2
    assert "holds 2 pairs of points; at least 4 are needed" in result.stderr


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_is_documented_and_shows_an_example(command):
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert f"scalptrack {command} " in readme
    result = _invoke(command, "--help")
    assert result.exit_code == 0
    assert f"  scalptrack {command} " in result.output
    assert "--json" in result.output
    assert "--quiet" in result.output


@pytest.fixture
def close_ups(photograph, tmp_path) -> tuple[Path, Path]:
    """Two squares of the same scalp, 20 pixels apart."""
    with Image.open(photograph) as image:
        pixels = np.asarray(image.convert("RGB"))
    paths = []
    for name, x in (("one", 300), ("two", 320)):
        paths.append(tmp_path / f"{name}.png")
        Image.fromarray(pixels[430:730, x : x + 300]).save(paths[-1])
    return paths[0], paths[1]


@pytest.fixture
def no_head(monkeypatch):
    """The network finds no head, as in a square of scalp."""

    class Blind:
        def segment(self, _image):
            message = "No head."
            raise HeadNotFoundError(message)

    monkeypatch.setattr("scalptrack.close_ups.shared_segmenter", Blind)


def test_register_aligns_close_ups(close_ups, no_head, tmp_path):
    points = tmp_path / "points.csv"
    points.write_text("150,150\n5,150\n")
    out = tmp_path / "out"
    arguments = ("register", *close_ups, "--close-up", "--points", points, "--out", out, "--json")
    result = _invoke(*arguments)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert (document["tier"], document["method"]) == ("A", "close-up")
    assert document["transform"]["type"] == "quadratic"
    (x, y), hidden = document["points"]
    assert x == pytest.approx(130, abs=0.2)
    assert y == pytest.approx(150, abs=0.2)
    assert hidden is None
    assert {each.name for each in out.iterdir()} >= {"aligned.jpg", "compare.jpg"}


def test_a_head_is_no_close_up(baseline, photograph):
    result = _invoke("register", baseline, photograph, "--close-up", "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["reason_code"] == "unusable_photograph"
    assert re.fullmatch(
        re.escape(baseline.name) + r" is no close-up: scalp fills \d+% of it, at least 70% is "
        r"needed\. Leave --close-up out for a photograph of a head\.",
        document["reason"],
    )


def test_a_close_up_is_aligned_in_no_other_way(baseline, photograph):
    for other in ("--allow-outline", "--strip"):
        result = _invoke("register", baseline, photograph, "--close-up", other)
        assert result.exit_code == 2
        assert result.stderr == (
            "Error: --close-up can't be combined with --points-file, --allow-outline or --strip.\n"
        )


def test_register_by_points_needs_four_pairs(baseline, tmp_path):
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("1,2,3,4\n5,6,7,8\n9,10,11,12\n")
    result = _invoke("register", baseline, baseline, "--points-file", pairs)
    assert result.exit_code == 2
    assert result.stderr == f"Error: {pairs} holds 3 pairs of points; at least 4 are needed.\n"

"""The committed photographs are the ones that were rendered, and tell the story they should."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

ROOT = Path(__file__).parents[1] / "sample_images"
MAX_BYTES = 20 * 2**20


@pytest.fixture(scope="module")
def truth():
    return json.loads((ROOT / "truth.json").read_text())


def good(truth, prefix):
    return {
        name: record["covisible_region"]["coverage_fraction"]
        for name, record in sorted(truth["photographs"].items())
        if name.startswith(prefix) and record["fault"] is None
    }


def by_visit(coverages):
    visits = {}
    for name, value in coverages.items():
        visits.setdefault(Path(name).stem[:10], []).append(value)
    return [float(np.mean(values)) for _, values in sorted(visits.items())]


def test_every_file_has_the_checksum_it_was_published_with():
    listed = {}
    for line in (ROOT / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ", maxsplit=1)
        listed[name] = digest
    present = {
        path.relative_to(ROOT).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in ROOT.rglob("*")
        if path.is_file() and path.name != "SHA256SUMS"
    }
    assert present == listed


def test_the_set_is_small_and_its_photographs_are_large(truth):
    assert sum(path.stat().st_size for path in ROOT.rglob("*") if path.is_file()) < MAX_BYTES
    for name in truth["photographs"]:
        with Image.open(ROOT / name) as image:
            assert max(image.size) >= 1200


def test_truth_names_every_photograph_and_no_other(truth):
    assert set(truth["photographs"]) == {
        path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.jpg")
    }


def test_dates_and_field_of_view_in_exif_are_those_of_the_truth(truth):
    for name, record in truth["photographs"].items():
        with Image.open(ROOT / name) as image:
            details = image.getexif().get_ifd(0x8769)
            diagonal = float(np.hypot(*image.size))
        assert details[0x9003][:10].replace(":", "-") == Path(name).stem[:10]
        focal_px = details[0xA405] * diagonal / 43.27
        assert focal_px == pytest.approx(record["camera"]["focal_px"], rel=1e-6)


def test_subject_01_improves_at_every_visit(truth):
    for view in ("vertex", "frontal"):
        visits = by_visit(good(truth, f"subject-01/{view}/"))
        assert len(visits) == 5
        assert np.all(np.diff(visits) > 0.02)
        assert visits[-1] - visits[0] > 0.18


def test_subject_02_regrows_and_relapses_but_stays_above_its_baseline(truth):
    visits = by_visit(good(truth, "subject-02/vertex/"))
    assert len(visits) == 5
    assert visits[1] - visits[0] > 0.10
    assert visits[2] > visits[0] + 0.10
    assert visits[4] < visits[2] - 0.04
    assert min(visits[3:]) > visits[0] + 0.08


def test_subject_03_is_unchanged(truth):
    visits = by_visit(good(truth, "subject-03/vertex/"))
    assert len(visits) == 5
    assert np.ptp(visits) < 0.02


def test_replicates_exist_at_two_visits_or_more(truth):
    for prefix in ("subject-01/vertex/", "subject-02/vertex/", "subject-03/vertex/"):
        pairs = [name for name in good(truth, prefix) if name.endswith("_2.jpg")]
        assert len(pairs) >= 2


def test_the_faults_are_the_announced_ones(truth):
    faults = {
        record["fault"]: name
        for name, record in truth["photographs"].items()
        if record["fault"] is not None
    }
    assert set(faults) == {"blurred", "wrong view", "another person", "truncated"}
    with Image.open(ROOT / faults["truncated"]) as image, pytest.raises(OSError, match="truncated"):
        image.load()
    assert (ROOT / "subject-02" / "vertex" / "notes.txt").is_file()


def test_one_good_photograph_is_stored_sideways(truth):
    sideways = []
    for name, record in truth["photographs"].items():
        with Image.open(ROOT / name) as image:
            if image.getexif().get(0x0112, 1) == 1:
                continue
            assert image.width > image.height
            if record["fault"] is None:
                upright = ImageOps.exif_transpose(image)
                assert upright.height > upright.width
                sideways.append(name)
    assert len(sideways) == 1


def test_no_file_names_a_path_of_the_machine_that_made_it():
    for name in ("truth.json", "README.md", "events.csv", "SHA256SUMS"):
        text = (ROOT / name).read_text()
        assert "/tmp/" not in text
        assert "/work/" not in text

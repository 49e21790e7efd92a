"""A blinded pack: what it shows, and everything that it must not tell."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from study.fake_pipeline import HereExecutor, fake_registration, fakes
from study.study_files import good_rows, invoke, write_manifest

from scalptrack.images import encode_image
from scalptrack.study import blinding, status
from scalptrack.study.blinding import FIXED_TIME, PackKey, Pair, pack_files, plan_pack
from scalptrack.study.running import run_study
from scalptrack.study.store import StudyStore

SECRET = bytes(range(32))
FORM_ITEM = re.compile(
    r'data-item="(\d+)".*?src="data:image/jpeg;base64,([^"]+)".*?'
    r'src="data:image/jpeg;base64,([^"]+)"',
    re.DOTALL,
)


@dataclass(frozen=True)
class Shown:
    """One item as anybody can read it from a pack."""

    item: str
    left: bytes
    right: bytes


def _shown(folder: Path) -> list[Shown]:
    return [
        Shown(item, base64.b64decode(left), base64.b64decode(right))
        for path in sorted(folder.glob("rating*.html"))
        for item, left, right in FORM_ITEM.findall(path.read_text(encoding="utf-8"))
    ]


def _without_padding(content: bytes) -> bytes:
    return content.rstrip(b"\0")


def _segments(content: bytes) -> list[int]:
    """Markers of a JPEG before its pixels."""
    assert content[:2] == b"\xff\xd8"
    markers, at = [], 2
    while content[at + 1] != 0xDA:
        markers.append(content[at + 1])
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return markers


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A pack of 300 subjects whose pictures come from one distribution, and its key."""
    generator = np.random.default_rng(11)
    pairs = [Pair(f"subject-{n}", f"{n}_2024-01-10.jpg", f"{n}_2024-07-10.jpg") for n in range(300)]
    pictures = {
        name: encode_image(
            generator.integers(0, 255, (8, 8, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1),
            suffix=".jpg",
        )
        for each in pairs
        for name in (each.before, each.after)
    }
    key = PackKey(
        "0123456789",
        "vertex",
        "day 180",
        SECRET.hex(),
        plan_pack(pairs, secret=SECRET, repeated_share=0.2),
    )
    folder = tmp_path_factory.mktemp("many") / "pack"
    blinding._write_pack(folder, pack_files(key, pictures, 60))
    return folder, key, pictures


def _guesses(shown: list[Shown]) -> dict[str, np.ndarray]:
    """Ways to guess that the later photograph is on the right, from all that a pack holds."""
    number = np.array([int(each.item) for each in shown])
    lengths = np.array([[len(_without_padding(x)) for x in (e.left, e.right)] for e in shown])
    hashes = np.array([[hashlib.sha256(x).digest()[0] for x in (e.left, e.right)] for e in shown])
    first_seen: dict[bytes, int] = {}
    for index, each in enumerate(shown):
        for content in (each.left, each.right):
            first_seen.setdefault(content, index)
    headers = [[x[:700] for x in (e.left, e.right)] for e in shown]
    return {
        "always right": number > 0,
        "odd number": number % 2 == 1,
        "late in the pack": number > np.median(number),
        "every third": number % 3 == 0,
        "longer file": lengths[:, 1] > lengths[:, 0],
        "larger hash": hashes[:, 1] > hashes[:, 0],
        "hash of the item": np.array(
            [hashlib.sha256(e.item.encode()).digest()[0] % 2 == 0 for e in shown]
        ),
        "header in order": np.array([left < right for left, right in headers]),
        "order of bytes": np.array([e.left < e.right for e in shown]),
        "side as in the pair before": np.roll(lengths[:, 1] > lengths[:, 0], 1),
        "seen before": np.array([first_seen[e.right] <= first_seen[e.left] for e in shown]),
    }


def test_nothing_in_a_pack_tells_which_picture_is_later(many):
    folder, key, _ = many
    shown = _shown(folder)
    truth = np.array([each.after_on_right for each in key.items])
    assert [each.item for each in shown] == [each.item for each in key.items]
    guesses = _guesses(shown)
    for name, guess in guesses.items():
        right = int(np.sum(guess == truth))
        p_value = stats.binomtest(right, truth.size).pvalue
        assert p_value > 0.001 / len(guesses), f"{name}: {right} of {truth.size}"


def test_all_guesses_together_do_not_tell_either(many):
    """A linear rule learnt from half of the key guesses no better on the other half."""
    folder, key, _ = many
    truth = np.array([each.after_on_right for each in key.items])
    features = np.column_stack([np.ones(truth.size), *_guesses(_shown(folder)).values()]).astype(
        float
    )
    half = truth.size // 2
    rule = np.linalg.lstsq(features[:half], truth[:half] * 2.0 - 1.0, rcond=None)[0]
    right = int(np.sum((features[half:] @ rule > 0) == truth[half:]))
    assert stats.binomtest(right, truth.size - half).pvalue > 0.001


def test_files_of_a_pack_have_one_time_and_its_pictures_one_length(many):
    folder, _, _ = many
    assert {path.stat().st_mtime for path in [folder, *folder.iterdir()]} == {FIXED_TIME}
    lengths = {len(x) for each in _shown(folder) for x in (each.left, each.right)}
    assert len(lengths) == 1
    names = sorted(path.name for path in folder.iterdir())
    forms = [f"rating-{number}.html" for number in range(1, 7)]
    assert names == ["KEY_SHA256", "README.txt", "SHA256SUMS", *forms]


def test_pictures_hold_no_metadata(many):
    folder, _, _ = many
    for each in _shown(folder):
        for content in (each.left, each.right):
            markers = _segments(content)
            assert {m for m in markers if 0xE0 <= m <= 0xEF} <= {0xE0}
            assert 0xFE not in markers
            assert _without_padding(content).endswith(b"\xff\xd9")


def test_no_text_of_a_pack_names_a_subject_a_date_or_a_file(many):
    folder, _, _ = many
    forbidden = [
        b"subject-",
        b"2024",
        b"day 180",
        b"before",
        b"baseline",
        b"follow",
        SECRET.hex().encode(),
    ]
    for path in folder.iterdir():
        text = re.sub(rb"base64,[^\"]+", b"", path.read_bytes())
        for word in forbidden:
            assert word not in text.replace(b"compared", b""), (path.name, word)


def test_each_picture_has_one_partner_only(many):
    """A picture that came with several others would be the baseline of all of them."""
    folder, _, _ = many
    partners: dict[bytes, set[bytes]] = {}
    for each in _shown(folder):
        partners.setdefault(each.left, set()).add(each.right)
        partners.setdefault(each.right, set()).add(each.left)
    assert {len(each) for each in partners.values()} == {1}


def test_a_fifth_comes_twice_apart_from_each_other_and_on_any_side(many):
    _, key, _ = many
    repeats = [each for each in key.items if each.repeat_of]
    assert (len(key.items), len(repeats)) == (360, 60)
    by_item = {each.item: each for each in key.items}
    same_side = 0
    for each in repeats:
        first = by_item[each.repeat_of]
        assert (first.subject, first.repeat_of) == (each.subject, None)
        assert int(each.item) - int(first.item) > 1
        same_side += first.after_on_right == each.after_on_right
    assert 15 <= same_side <= 45
    assert {each.subject for each in key.items} == {f"subject-{n}" for n in range(300)}


def test_known_seeds_do_not_make_the_key(many):
    """Whoever has the program and the study's settings, and not the secret, gets another plan."""
    _, key, _ = many
    pairs = sorted({(e.subject, e.before, e.after) for e in key.items})
    order = [Pair(*each) for each in pairs]
    sides = [each.after_on_right for each in key.items]
    for seed in (0, 1, 20260101):
        guess = plan_pack(order, secret=seed.to_bytes(32, "big"), repeated_share=0.2)
        assert guess != key.items
        agreeing = sum(a.after_on_right == b for a, b in zip(guess, sides, strict=True))
        assert stats.binomtest(agreeing, len(sides)).pvalue > 0.0001


def test_the_key_s_hash_in_the_pack_can_not_be_guessed(many):
    folder, key, _ = many
    promised = (folder / "KEY_SHA256").read_text().strip()
    assert promised == hashlib.sha256(key.text().encode()).hexdigest()
    assert len(bytes.fromhex(key.secret)) == 32


def test_checksums_are_those_of_the_files(many):
    folder, _, _ = many
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """A study of six subjects with one photograph per visit, measured by the fake pipeline."""
    for module in (blinding, status):
        monkeypatch.setattr(module, "study_fingerprint", lambda _store: "f" * 64)
    rows = [row for row in good_rows(6) if row[4] == "1"]
    photos = write_manifest(tmp_path / "photos", rows)
    assert invoke("init", tmp_path / "trial", "--manifest", photos).exit_code == 0
    store = StudyStore(tmp_path / "trial")
    with fakes() as _, fake_registration():
        run_study(store, executor=HereExecutor())
        yield store


def test_blind_writes_a_pack_and_keeps_the_key(measured, tmp_path):
    result = invoke("blind", measured.folder, "--out", tmp_path / "pack", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["schema"] == "scalptrack.study.blind/1"
    assert (document["pairs"], document["repeats"], document["left_out"]) == (6, 1, 0)
    assert result.stderr == "6 pairs, 1 of them twice; 0 subjects without a pair\n"
    assert len(_shown(tmp_path / "pack")) == 7
    key_file = measured.key_folder / f"{document['pack']}.json"
    assert key_file.stat().st_mode & 0o077 == 0
    promised = (tmp_path / "pack" / "KEY_SHA256").read_text().strip()
    assert hashlib.sha256(key_file.read_bytes()).hexdigest() == promised
    assert measured.packs() == {document["pack"]: promised}
    last = measured.log_lines()[-1]
    assert last.action == "blind"
    assert json.loads(key_file.read_text())["secret"] not in json.dumps(last.details)


def test_two_packs_of_one_study_have_nothing_in_common(measured, tmp_path):
    keys = []
    for name in ("one", "two"):
        result = invoke("blind", measured.folder, "--out", tmp_path / name, "--json")
        pack = json.loads(result.stdout)["pack"]
        keys.append(json.loads((measured.key_folder / f"{pack}.json").read_text()))
    assert keys[0]["secret"] != keys[1]["secret"]
    assert keys[0]["pack"] != keys[1]["pack"]


def test_a_pack_of_another_visit_is_warned_of(measured, tmp_path):
    measured.add_pack("0123456789", "vertex", "visit 3", "x")
    result = invoke("blind", measured.folder, "--out", tmp_path / "pack")
    assert result.exit_code == 0
    assert "Note: Pack 0123456789 (visit 3) shows the same baseline photographs" in result.stderr


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--view", "frontal"), "--view frontal: the study has vertex."),
        (("--visit", "visit 1"), "--visit visit 1: the study has visit 2."),
    ],
)
def test_a_view_or_visit_that_is_not_there_is_named(measured, tmp_path, options, text):
    result = invoke("blind", measured.folder, "--out", tmp_path / "pack", *options)
    assert result.exit_code == 2
    assert text in result.stderr


def test_a_pack_is_never_put_beside_its_key_or_over_other_files(measured, tmp_path):
    inside = invoke("blind", measured.folder, "--out", measured.folder / "pack")
    assert inside.exit_code == 2
    assert "lie in one another" in inside.stderr
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    full = invoke("blind", measured.folder, "--out", tmp_path / "full")
    assert full.exit_code == 2
    assert "is not empty" in full.stderr
    assert measured.packs() == {}


def test_a_photograph_that_was_replaced_is_not_shown(measured, tmp_path):
    victim = measured.photo_root.path_of(measured.photographs()[0].name)
    victim.write_bytes(victim.read_bytes() + b"x")
    result = invoke("blind", measured.folder, "--out", tmp_path / "pack")
    assert result.exit_code == 2
    assert (
        "can't be shown: s0_2024-01-10_1.jpg is not the file that the study was made with"
        in result.stderr
    )
    assert not (tmp_path / "pack").exists()


def test_a_pack_can_be_made_after_the_cache_was_deleted(measured, tmp_path):
    shutil.rmtree(measured.cache_folder)
    result = invoke("blind", measured.folder, "--out", tmp_path / "pack", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["pairs"] == 6


def test_a_photograph_that_is_gone_with_the_cache_is_named(measured, tmp_path):
    shutil.rmtree(measured.cache_folder)
    victim = measured.photographs()[0].name
    measured.photo_root.path_of(victim).unlink()
    result = invoke("blind", measured.folder, "--out", tmp_path / "pack")
    assert result.exit_code == 2
    assert f"{victim} can't be shown: " in result.stderr
    assert not (tmp_path / "pack").exists()

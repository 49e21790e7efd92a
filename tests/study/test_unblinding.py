"""Ratings of several readers, merged and compared with each other and with the measurement."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa
from study.study_files import invoke
from study.trial import make_trial

from scalptrack.study.blinding import PackKey, Pair, pairs_of, plan_pack
from scalptrack.study.kappa import weighted_kappa
from scalptrack.study.ratings import CATEGORIES
from scalptrack.study.statistics import NotEstimableError
from scalptrack.study.tidy import load_results, visit_table

SECRET = bytes(range(32))


@pytest.mark.parametrize("seed", range(4))
def test_weighted_kappa_is_the_one_of_statsmodels(seed):
    generator = np.random.default_rng(seed)
    first = generator.integers(-3, 4, 40)
    second = np.clip(first + generator.integers(-1, 2, 40), -3, 3)
    table = np.zeros((7, 7))
    for one, other in zip(first, second, strict=True):
        table[one + 3, other + 3] += 1
    expected = cohens_kappa(table, wt="quadratic")
    ours = weighted_kappa(first.tolist(), second.tolist(), categories=CATEGORIES)
    assert ours.value == pytest.approx(expected.kappa, rel=1e-9)
    assert ours.low == pytest.approx(expected.kappa - 1.959964 * expected.std_kappa, rel=1e-5)
    assert ours.high == pytest.approx(
        min(expected.kappa + 1.959964 * expected.std_kappa, 1.0), rel=1e-5
    )


def test_kappa_of_perfect_agreement_is_one_and_of_constant_ratings_is_none():
    ratings = [-3, -1, 0, 2, 3, 1]
    assert weighted_kappa(ratings, ratings, categories=CATEGORIES).value == pytest.approx(1.0)
    with pytest.raises(NotEstimableError, match="all ratings are the same"):
        weighted_kappa([1] * 6, [1] * 6, categories=CATEGORIES)
    with pytest.raises(NotEstimableError, match="4 pairs were rated by both"):
        weighted_kappa([1, 2, 0, 1], [1, 2, 0, 1], categories=CATEGORIES)


@pytest.fixture
def blinded(tmp_path):
    """A trial with a pack whose key is known, without its pictures."""
    store = make_trial(tmp_path, per_arm=20)
    pairs, left_out = pairs_of(store, "vertex", "day 180")
    assert (len(pairs), left_out) == (39, 1)
    items = plan_pack(pairs, secret=SECRET, repeated_share=0.2)
    key = PackKey("abcdef0123", "vertex", "day 180", SECRET.hex(), items)
    store.key_folder.mkdir()
    (store.key_folder / "abcdef0123.json").write_bytes(key.text().encode())
    import hashlib

    store.add_pack(
        "abcdef0123", "vertex", "day 180", hashlib.sha256(key.text().encode()).hexdigest()
    )
    return store, key


def _truth(store) -> dict[str, float]:
    return {
        row["subject"]: row["change_points"]
        for row in visit_table(load_results(store)).rows
        if row["visit"] == "day 180"
    }


def _save(path, key, reader, rate, **changes):
    """A file as the form saves it; ``rate`` gives after against before of an item."""
    ratings = {}
    for each in key.items:
        value = rate(each)
        if isinstance(value, int) and not each.after_on_right:
            value = -value
        ratings[each.item] = value
    document = {"schema": "scalptrack.ratings/1", "pack": key.pack, "form": 1, "reader": reader}
    path.write_text(json.dumps(document | {"ratings": ratings} | changes))
    return path


def _step(change: float) -> int:
    return int(np.clip(round(change / 6), -3, 3))


def test_ratings_are_turned_and_agree_with_what_readers_saw(blinded, tmp_path):
    store, key = blinded
    truth = _truth(store)
    generator = np.random.default_rng(8)
    noise = {each.item: int(generator.integers(-1, 2)) for each in key.items}
    exact = _save(tmp_path / "a.json", key, "ann", lambda e: _step(truth[e.subject]))
    loose = _save(
        tmp_path / "b.json",
        key,
        "bob",
        lambda e: int(np.clip(_step(truth[e.subject]) + noise[e.item], -3, 3)),
    )
    result = invoke("unblind", store.folder, exact, loose, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["schema"] == "scalptrack.study.unblind/1"
    found = {(row["what"], row["of"]): row for row in document["agreement"]}
    himself = "weighted kappa of a reader with himself"
    assert found[himself, "ann"]["value"] == pytest.approx(1.0)
    assert found[himself, "ann"]["pairs"] == 8
    assert 0.2 < found[himself, "bob"]["value"] < 1.0
    first = [e for e in key.items if e.repeat_of is None]
    ann = [_step(truth[e.subject]) for e in first]
    bob = [int(np.clip(_step(truth[e.subject]) + noise[e.item], -3, 3)) for e in first]
    table = np.zeros((7, 7))
    for one, other in zip(ann, bob, strict=True):
        table[one + 3, other + 3] += 1
    both = found["weighted kappa of two readers", "ann, bob"]
    assert both["value"] == pytest.approx(cohens_kappa(table, wt="quadratic").kappa, rel=1e-6)
    assert both["pairs"] == 39
    rho = found["Spearman correlation of mean rating and measured change", "all readers"]
    means = (np.array(ann) + np.array(bob)) / 2
    changes = [truth[e.subject] for e in first]
    assert rho["value"] == pytest.approx(stats.spearmanr(means, changes).statistic, rel=1e-6)
    icc = found["ICC(3,1), consistency of readers", "ann, bob"]
    # From the two-way analysis of variance of 39 pairs and 2 readers.
    ratings = np.column_stack([ann, bob]).astype(float)
    differences = ratings[:, 0] - ratings[:, 1]
    error = differences.var(ddof=1) / 2
    between = 2 * ratings.mean(axis=1).var(ddof=1)
    assert icc["value"] == pytest.approx((between - error) / (between + error), rel=1e-6)
    drug = found["mean rating of after against before", "drug"]
    placebo = found["mean rating of after against before", "placebo"]
    assert drug["low"] > placebo["high"]


def test_the_tables_hold_every_rating_in_both_directions(blinded, tmp_path):
    store, key = blinded
    path = _save(tmp_path / "a.json", key, "ann", lambda e: 2)
    document = json.loads(invoke("unblind", store.folder, path, "--json").stdout)
    assert len(document["ratings"]) == len(key.items)
    for row in document["ratings"]:
        assert row["rating"] == 2
        assert row["rating_given"] == (2 if row["after_on"] == "right" else -2)
        assert row["after_unblinding"] is False
    assert (store.folder / "readers" / key.pack / "ratings.csv").is_file()
    assert store.log_lines()[-1].details["readers"] == ["ann"]


def test_a_file_that_comes_after_the_unblinding_is_marked(blinded, tmp_path):
    store, key = blinded
    early = _save(tmp_path / "a.json", key, "ann", lambda e: 1)
    late = _save(tmp_path / "b.json", key, "bob", lambda e: 1)
    assert invoke("unblind", store.folder, early).exit_code in {0, 1}
    document = json.loads(invoke("unblind", store.folder, early, late, "--json").stdout)
    marked = {row["reader"]: row["after_unblinding"] for row in document["ratings"]}
    assert marked == {"ann": False, "bob": True}


def test_what_can_not_be_judged_counts_nowhere_and_is_kept(blinded, tmp_path):
    store, key = blinded
    subject = key.items[0].subject
    path = _save(
        tmp_path / "a.json", key, "ann", lambda e: "cannot judge" if e.subject == subject else 1
    )
    document = json.loads(invoke("unblind", store.folder, path, "--json").stdout)
    (pair,) = [row for row in document["pairs"] if row["subject"] == subject]
    assert (pair["readers"], pair["mean_rating"]) == (0, None)
    assert {r["rating"] for r in document["ratings"] if r["subject"] == subject} == {None}


def test_mistakes_in_files_are_named_together(blinded, tmp_path):
    store, key = blinded
    wild = _save(tmp_path / "a.json", key, "ann", lambda e: 7 if e.item == "003" else 1)
    strange = _save(tmp_path / "b.json", key, "bob", lambda e: 1, ratings={"999": 1})
    twice = _save(tmp_path / "c.json", key, "ann", lambda e: 0)
    result = invoke("unblind", store.folder, wild, strange, twice)
    assert result.exit_code == 2
    assert "item 003 has the rating" in result.stderr
    assert "there is no item 999 in pack abcdef0123" in result.stderr
    assert "ann rates item 001 in two ways" in result.stderr
    (tmp_path / "d.json").write_text("{}")
    broken = invoke("unblind", store.folder, tmp_path / "d.json", tmp_path / "nowhere.json")
    assert broken.exit_code == 2
    assert broken.stderr.count("it is not a file of ratings") == 2
    assert [each.action for each in store.log_lines()] == ["init", "blind"]


def test_a_key_that_was_changed_opens_nothing(blinded, tmp_path):
    store, key = blinded
    path = _save(tmp_path / "a.json", key, "ann", lambda e: 1)
    file = store.key_folder / f"{key.pack}.json"
    file.write_text(
        file.read_text().replace('"after_on_right": true', '"after_on_right": false', 1)
    )
    result = invoke("unblind", store.folder, path)
    assert result.exit_code == 2
    assert "is not the key that was made with the pack" in result.stderr


def test_a_pack_of_another_study_is_refused(blinded, tmp_path):
    store, key = blinded
    path = _save(tmp_path / "a.json", key, "ann", lambda e: 1, pack="fedcba9876")
    result = invoke("unblind", store.folder, path)
    assert result.exit_code == 2
    assert "has no pack fedcba9876; it has abcdef0123." in result.stderr


def test_readers_who_saw_nothing_leave_no_number_and_a_reason(blinded, tmp_path):
    store, key = blinded
    path = _save(tmp_path / "a.json", key, "ann", lambda e: 0)
    result = invoke("unblind", store.folder, path)
    assert result.exit_code == 1
    assert (
        "weighted kappa of a reader with himself (ann, 8 pairs): no number, because all ratings "
        "are the same, so agreement beyond chance can't be told"
    ) in result.stdout


def test_a_plan_of_one_pair_is_possible():
    (item,) = plan_pack([Pair("s", "a", "b")], secret=SECRET, repeated_share=0.2)
    assert item.item == "001"

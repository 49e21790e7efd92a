"""Unblinds ratings: agreement of readers with themselves, each other and the measurement."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy import stats

from scalptrack.longitudinal.agreement import Estimate, reliability
from scalptrack.longitudinal.intervals import two_sided_quantile
from scalptrack.records import Verdict
from scalptrack.study.blinding import PackKey
from scalptrack.study.export import write_tables
from scalptrack.study.kappa import MINIMUM_PAIRS, NORMAL_95, weighted_kappa
from scalptrack.study.ratings import (
    CATEGORIES,
    Rating,
    ReaderFile,
    merged_ratings,
    read_key,
    read_reader_files,
)
from scalptrack.study.statistics import NotEstimableError, proportion
from scalptrack.study.store import StudyStore
from scalptrack.study.tidy import Field, Row, TidyTable, load_results, visit_table

CHANGED_RATING = 0.5
"""Mean rating from which on the readers see a change: nearer to one step than to none."""

RATING_FIELDS = (
    Field("reader", "text", "name in the file of ratings"),
    Field("item", "text", "number of the pair in the pack"),
    Field("subject", "text", "the subject"),
    Field("arm", "text", "the subject's arm"),
    Field("after_on", "text", "side of the later photograph"),
    Field("repeat_of", "text", "the item that showed the same pair before"),
    Field("rating_given", "integer", "right compared with left; empty: could not judge", "steps"),
    Field("rating", "integer", "after compared with before", "steps"),
    Field("after_unblinding", "yes/no", "the file is not among those of the first unblinding"),
)
PAIR_FIELDS = (
    Field("subject", "text", "the subject"),
    Field("arm", "text", "the subject's arm"),
    Field("readers", "integer", "readers who judged the pair; repeats don't count"),
    Field("mean_rating", "number", "mean of the readers, after compared with before", "steps"),
    Field("change_points", "number", "measured change from baseline", "points"),
    Field("verdict", "text", "what the measurement says"),
)
AGREEMENT_FIELDS = (
    Field("what", "text", "which agreement"),
    Field("of", "text", "reader, readers or arm"),
    Field("pairs", "integer", "pairs or subjects behind the number"),
    Field("value", "number", "the estimate"),
    Field("low", "number", "lower end of its 95 % interval"),
    Field("high", "number", "upper end of its 95 % interval"),
    Field("reason", "text", "why there is no number"),
)


@dataclass(frozen=True, slots=True)
class Unblinded:
    """Everything that the ratings of a pack say."""

    pack: str
    readers: tuple[str, ...]
    tables: tuple[TidyTable, ...]
    files: tuple[str, ...]


def unblind_study(store: StudyStore, paths: Sequence[Path], out: Path | None = None) -> Unblinded:
    """Merge the ratings of several readers, and write what they say.

    Raises
    ------
    InputError
        If the files are not ratings of one pack of this study.
    """
    files = read_reader_files(paths)
    key = read_key(store, files[0].pack)
    ratings = merged_ratings(files, key)
    late = _late_readers(store, key.pack, files)
    pairs = _pair_rows(store, key, ratings)
    arms = {row["subject"]: row["arm"] for row in pairs}
    tables = (
        TidyTable(
            "ratings",
            "one row for each rating",
            RATING_FIELDS,
            tuple(_rating_rows(ratings, arms, late)),
        ),
        TidyTable("pairs", "one row for each pair", PAIR_FIELDS, pairs),
        TidyTable(
            "agreement",
            "agreement of readers and measurement",
            AGREEMENT_FIELDS,
            tuple(_agreement_rows(ratings, pairs)),
        ),
    )
    folder = out or store.folder / "readers" / key.pack
    written = write_tables(tables, folder, schema_name="scalptrack.study.readers/1")
    readers = tuple(sorted({each.reader for each in ratings}))
    store.log(
        "unblind",
        {
            "pack": key.pack,
            "readers": readers,
            "files": {each.path.name: each.sha256 for each in files},
        },
    )
    return Unblinded(key.pack, readers, tables, written)


def _late_readers(store: StudyStore, pack: str, files: Sequence[ReaderFile]) -> frozenset[str]:
    """Readers with a file that was not there when the pack was unblinded first."""
    first = next(
        (
            set(each.details["files"].values())
            for each in store.log_lines()
            if each.action == "unblind" and each.details["pack"] == pack
        ),
        None,
    )
    if first is None:
        return frozenset()
    return frozenset(each.reader for each in files if each.sha256 not in first)


def _rating_rows(
    ratings: Sequence[Rating], arms: dict[str, str], late: frozenset[str]
) -> Iterator[Row]:
    for each in ratings:
        yield {
            "reader": each.reader,
            "item": each.item.item,
            "subject": each.item.subject,
            "arm": arms[each.item.subject],
            "after_on": "right" if each.item.after_on_right else "left",
            "repeat_of": each.item.repeat_of or "",
            "rating_given": each.as_given,
            "rating": each.of_after,
            "after_unblinding": each.reader in late,
        }


def _pair_rows(store: StudyStore, key: PackKey, ratings: Sequence[Rating]) -> tuple[Row, ...]:
    """Mean rating and measured change of each pair."""
    results = load_results(store)
    measured = {
        row["subject"]: row
        for row in visit_table(results).rows
        if (row["view"], row["visit"]) == (key.view, key.visit)
    }
    arm_of = results.arm_of
    rows = []
    for subject in sorted({each.subject for each in key.items}):
        own = [
            each.of_after
            for each in ratings
            if each.item.subject == subject
            and each.item.repeat_of is None
            and each.of_after is not None
        ]
        change = measured.get(subject, {})
        rows.append(
            {
                "subject": subject,
                "arm": arm_of[subject],
                "readers": len(own),
                "mean_rating": round(sum(own) / len(own), 6) if own else None,
                "change_points": change.get("change_points"),
                "verdict": change.get("verdict", ""),
            }
        )
    return tuple(rows)


def _agreement_rows(ratings: Sequence[Rating], pairs: Sequence[Row]) -> Iterator[Row]:
    by_reader: dict[str, dict[str, Rating]] = {}
    for each in ratings:
        if each.as_given is not None:
            by_reader.setdefault(each.reader, {})[each.item.item] = each
    for reader, own in by_reader.items():
        yield _row(
            "mean rating of right against left",
            reader,
            *_mean([each.as_given for each in own.values()]),
        )
        yield _intra_reader(reader, own)
    for one, other in combinations(by_reader, 2):
        yield _inter_reader(one, other, by_reader[one], by_reader[other])
    yield from _intraclass(by_reader)
    rated = [row for row in pairs if row["readers"] and row["change_points"] is not None]
    yield _rank_correlation(rated)
    yield _same_verdict(rated)
    for arm in sorted({row["arm"] for row in pairs}):
        means = [row["mean_rating"] for row in pairs if row["arm"] == arm and row["readers"]]
        yield _row("mean rating of after against before", arm, *_mean(means))


def _row(what: str, of: str, pairs: int, estimate: Estimate | None, reason: str = "") -> Row:
    row: Row = {"what": what, "of": of, "pairs": pairs, "reason": reason}
    if estimate is None or not math.isfinite(estimate.value):
        return row | {"reason": reason or "it can't be estimated"}
    ends = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    return row | {
        name: float(f"{value:.8g}") if math.isfinite(value) else None
        for name, value in ends.items()
    }


def _kappa_row(what: str, of: str, first: Sequence[int], second: Sequence[int]) -> Row:
    try:
        estimate = weighted_kappa(first, second, categories=CATEGORIES)
    except NotEstimableError as error:
        return _row(what, of, len(first), None, str(error))
    return _row(what, of, len(first), estimate)


def _intra_reader(reader: str, own: dict[str, Rating]) -> Row:
    """The same pair twice, by one reader."""
    first, second = [], []
    for each in own.values():
        before = own.get(each.item.repeat_of or "")
        if before is not None and before.of_after is not None and each.of_after is not None:
            first.append(before.of_after)
            second.append(each.of_after)
    return _kappa_row("weighted kappa of a reader with himself", reader, first, second)


def _inter_reader(one: str, other: str, ours: dict[str, Rating], theirs: dict[str, Rating]) -> Row:
    """The same pairs by two readers; repeats don't count twice."""
    common = [
        (each.of_after, theirs[item].of_after)
        for item, each in ours.items()
        if item in theirs and each.item.repeat_of is None
    ]
    first = [a for a, _ in common if a is not None]
    second = [b for _, b in common if b is not None]
    return _kappa_row("weighted kappa of two readers", f"{one}, {other}", first, second)


def _intraclass(by_reader: dict[str, dict[str, Rating]]) -> Iterator[Row]:
    """Intraclass correlations over the pairs that all readers judged."""
    names = ("ICC(2,1), agreement of readers", "ICC(3,1), consistency of readers")
    readers = ", ".join(by_reader)
    common = (
        sorted(set.intersection(*(set(own) for own in by_reader.values()))) if by_reader else []
    )
    table = [
        [own[item].of_after for own in by_reader.values()]
        for item in common
        if all(own[item].item.repeat_of is None for own in by_reader.values())
    ]
    try:
        found = reliability(np.array(table, dtype=float).reshape(len(table), len(by_reader)))
    except ValueError as error:
        for name in names:
            yield _row(name, readers, len(table), None, str(error))
        return
    for name, value in zip(names, (found.icc_agreement, found.icc_consistency), strict=True):
        yield _row(name, readers, len(table), value)


def _mean(values: Sequence[int | float | None]) -> tuple[int, Estimate | None, str]:
    """Mean with Student's interval."""
    known = np.array([each for each in values if each is not None], dtype=float)
    if known.size < 2:
        return known.size, None, "fewer than 2 ratings"
    half = two_sided_quantile(known.size - 1) * float(known.std(ddof=1)) / math.sqrt(known.size)
    mean = float(known.mean())
    return known.size, Estimate(mean, mean - half, mean + half), ""


def _rank_correlation(rated: Sequence[Row]) -> Row:
    """Spearman's correlation; Fisher's z with Bonett and Wright's standard error (2000)."""
    what, of = "Spearman correlation of mean rating and measured change", "all readers"
    if len(rated) < MINIMUM_PAIRS:
        return _row(what, of, len(rated), None, f"fewer than {MINIMUM_PAIRS} pairs")
    ratings = [row["mean_rating"] for row in rated]
    changes = [row["change_points"] for row in rated]
    if len(set(ratings)) < 2 or len(set(changes)) < 2:
        return _row(what, of, len(rated), None, "all ratings or all changes are the same")
    rho = float(stats.spearmanr(ratings, changes).statistic)
    half = NORMAL_95 * math.sqrt((1.0 + rho**2 / 2.0) / (len(rated) - 3))
    centre = math.atanh(min(max(rho, -1.0 + 1e-12), 1.0 - 1e-12))
    return _row(
        what, of, len(rated), Estimate(rho, math.tanh(centre - half), math.tanh(centre + half))
    )


def _same_verdict(rated: Sequence[Row]) -> Row:
    """How often readers and measurement say the same: more, less, or no change."""
    seen = []
    for row in rated:
        rating = row["mean_rating"]
        told = Verdict.NO_DETECTABLE_CHANGE
        if abs(rating) >= CHANGED_RATING:
            told = Verdict.INCREASE if rating > 0 else Verdict.DECREASE
        seen.append(told.value == row["verdict"])
    what = "share of pairs with the same verdict of readers and measurement"
    return _row(what, "all readers", len(seen), proportion(sum(seen), len(seen)))

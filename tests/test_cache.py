"""Records are read back as they were stored; nothing damaged is trusted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pytest

from scalptrack.cache import RecordCache
from scalptrack.records import CaptureInfo, Status


@dataclass(frozen=True)
class Sample:
    array: np.ndarray
    status: Status
    capture: CaptureInfo
    day: date
    values: tuple[float, ...]
    nothing: None = None


TYPES = {"Sample": Sample, "Status": Status, "CaptureInfo": CaptureInfo}
RECORD = Sample(
    np.arange(6, dtype=np.float32).reshape(2, 3),
    Status.REFUSED,
    CaptureInfo(datetime(2026, 1, 2, 3, 4), 26.0, None),  # noqa: DTZ001 - cameras know no zone
    date(2026, 5, 6),
    (1.5, math.inf),
)


def test_a_record_is_read_back_equal(tmp_path):
    cache = RecordCache(tmp_path, TYPES, fingerprint="v1")
    cache.save(RECORD, "a", "b")
    found = cache.load("a", "b")
    np.testing.assert_array_equal(found.array, RECORD.array)
    assert found.array.dtype == np.float32
    assert (found.status, found.capture, found.day, found.values, found.nothing) == (
        RECORD.status,
        RECORD.capture,
        RECORD.day,
        RECORD.values,
        None,
    )


def test_other_keys_and_other_fingerprints_find_nothing(tmp_path):
    RecordCache(tmp_path, TYPES, fingerprint="v1").save(RECORD, "a")
    assert RecordCache(tmp_path, TYPES, fingerprint="v1").load("b") is None
    assert RecordCache(tmp_path, TYPES, fingerprint="v2").load("a") is None
    assert RecordCache(tmp_path, TYPES, fingerprint="v1").load("a") is not None


def test_a_damaged_entry_counts_as_missing(tmp_path):
    cache = RecordCache(tmp_path, TYPES, fingerprint="v1")
    cache.save(RECORD, "a")
    (entry,) = tmp_path.iterdir()
    entry.write_bytes(entry.read_bytes()[:100])
    assert cache.load("a") is None


def test_unknown_types_are_refused_and_nothing_is_pickled(tmp_path):
    cache = RecordCache(tmp_path, {}, fingerprint="v1")
    with pytest.raises(TypeError, match="can't be stored"):
        cache.save(RECORD, "a")


def test_no_folder_keeps_nothing():
    cache = RecordCache(None, TYPES, fingerprint="v1")
    cache.save(RECORD, "a")
    assert cache.load("a") is None


def test_a_folder_that_can_not_be_written_only_costs_time(tmp_path):
    (tmp_path / "file").write_text("x")
    cache = RecordCache(tmp_path / "file" / "cache", TYPES, fingerprint="v1")
    cache.save(RECORD, "a")
    assert cache.load("a") is None

"""A full disk, a database that can't be written, a cache that is gone: said, and nothing is lost.

``lab/benchmarks/kills.py`` does the same with real disks, users, photographs and processes.
"""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from study.fake_pipeline import HereExecutor, fake_registration, fakes
from study.study_files import good_rows, invoke, write_manifest

from scalptrack import cache
from scalptrack.errors import OutputError
from scalptrack.plain import to_plain
from scalptrack.study import running
from scalptrack.study.running import run_study
from scalptrack.study.store import StudyStore


@pytest.fixture
def photos(tmp_path):
    return write_manifest(tmp_path / "photos", good_rows(3))


@pytest.fixture(autouse=True)
def pipeline():
    with fakes(), fake_registration():
        yield running


def _study(photos, folder) -> StudyStore:
    assert invoke("init", folder, "--manifest", photos).exit_code == 0
    return StudyStore(folder)


def _text(store: StudyStore) -> str:
    return json.dumps([to_plain(each) for each in store.outcomes()])


def _limit_after(store: StudyStore, count: int, pragma: str) -> None:
    """Let SQLite itself refuse what is written after so many transactions."""
    begun = 0

    def on_begin(connection):
        nonlocal begun
        begun += 1
        if begun == count:
            connection.exec_driver_sql(pragma)

    sa.event.listen(store._engine, "begin", on_begin)


@pytest.mark.parametrize(
    ("pragma", "words"),
    [
        ("PRAGMA max_page_count = 1", "database or disk is full"),
        ("PRAGMA query_only = ON", "attempt to write a readonly database"),
    ],
)
@pytest.mark.parametrize("count", [1, 8, 14])
def test_a_database_that_refuses_is_named_and_keeps_what_it_has(
    photos, tmp_path, pragma, words, count
):
    whole = _study(photos, tmp_path / "whole")
    run_study(whole, executor=HereExecutor())
    store = _study(photos, tmp_path / "trial")
    _limit_after(store, count, pragma)
    with pytest.raises(OutputError) as caught:
        run_study(store, executor=HereExecutor())
    assert str(caught.value) == (
        f"{tmp_path / 'trial' / 'study.sqlite'} can't be used: {words}. Check the folder's "
        "permissions and the space on the disk; nothing that was stored before is lost."
    )
    store.close()
    again = StudyStore(tmp_path / "trial")
    run_study(again, executor=HereExecutor())
    assert _text(again) == _text(whole)
    assert again.finished_series() == whole.finished_series()


def test_a_cache_that_can_not_be_written_only_costs_time(photos, tmp_path, monkeypatch):
    whole, store = (_study(photos, tmp_path / name) for name in ("whole", "trial"))
    run_study(whole, executor=HereExecutor())

    def refuse(path, _content):
        message = f"{path} can't be written: No space left on device."
        raise OutputError(message)

    monkeypatch.setattr(cache, "write_bytes_atomic", refuse)
    counts = run_study(store, executor=HereExecutor())
    assert counts.measured == 12
    assert _text(store) == _text(whole)
    assert not store.cache_folder.exists()

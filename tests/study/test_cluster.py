"""A run on a Dask cluster of two processes: the results of any other run, also when one dies."""

from __future__ import annotations

import json
import mmap
import os
import platform
import shutil
import signal
import sys
import warnings

import numpy as np
import pytest
from distributed import Client, LocalCluster
from study.fake_pipeline import HereExecutor, fake_registration, fakes, stay_fake
from study.study_files import good_rows, invoke, write_manifest

from scalptrack.errors import ScalptrackError
from scalptrack.plain import to_plain
from scalptrack.study import running
from scalptrack.study.cluster import dask_cluster, keep_freed_memory, unit_on_worker
from scalptrack.study.running import run_study
from scalptrack.study.store import StudyStore, copies_folder

pytestmark = [
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a system with SIGKILL"),
    # Of Dask's own clean-up when workers are killed.
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes with one thread each, in which the pipeline is the fake one."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with LocalCluster(
                n_workers=2,
                threads_per_worker=1,
                dashboard_address=None,
                protocol="tcp",
                host="127.0.0.1",
            ) as started:
                yield started
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


@pytest.fixture(scope="module")
def scheduler(cluster):
    """Address of the cluster; workers that start later have the fake pipeline too."""
    with Client(cluster.scheduler_address, set_as_default=False) as client:
        client.register_worker_callbacks(stay_fake)
        yield cluster.scheduler_address


def _study(tmp_path, name: str, rows) -> StudyStore:
    manifest = write_manifest(tmp_path / "photos", rows)
    assert invoke("init", tmp_path / name, "--manifest", manifest).exit_code == 0
    return StudyStore(tmp_path / name)


def _text(store: StudyStore) -> str:
    return json.dumps([to_plain(each) for each in store.outcomes()])


def _rows():
    rows = good_rows(3)
    rows[1] = ("blurred.jpg", *rows[1][1:])
    rows[7] = ("stranger.jpg", *rows[7][1:])
    return rows


def test_a_cluster_gives_the_results_of_this_process(scheduler, tmp_path):
    here, there = (_study(tmp_path, name, _rows()) for name in ("here", "there"))
    with fakes(), fake_registration():
        run_study(here, executor=HereExecutor())
        with dask_cluster(scheduler) as executor:
            counts = run_study(there, executor=executor)
    assert counts.line() == "12 photographs: 10 measured, 1 refused, 1 rejected"
    assert _text(there) == _text(here)
    assert there.finished_series() == here.finished_series()


def test_a_killed_worker_changes_no_result(scheduler, tmp_path):
    rows = _rows()
    rows[4] = ("deadly.jpg", *rows[4][1:])
    here, there = (_study(tmp_path, name, rows) for name in ("here", "there"))
    with fakes(), fake_registration(), dask_cluster(scheduler) as executor:
        run_study(there, executor=executor)
    assert (tmp_path / "photos" / "deadly.killed").exists()
    with fakes(), fake_registration():
        run_study(here, executor=HereExecutor())
    assert _text(there) == _text(here)


def test_workers_fetch_photographs_from_a_url(scheduler, tmp_path):
    here = _study(tmp_path, "here", _rows())
    (tmp_path / "photos").rename(tmp_path / "server")
    (tmp_path / "manifest.csv").write_bytes((tmp_path / "server" / "manifest.csv").read_bytes())
    far = ("--photos", f"file://{tmp_path}/server")
    result = invoke("init", tmp_path / "there", "--manifest", tmp_path / "manifest.csv", *far)
    assert result.exit_code == 0, result.output
    there = StudyStore(tmp_path / "there")
    shutil.rmtree(there.cache_folder)
    with fakes(), fake_registration(), dask_cluster(scheduler) as executor:
        counts = run_study(there, executor=executor)
    assert counts.line() == "12 photographs: 10 measured, 1 refused, 1 rejected"
    assert len(list(copies_folder(there.folder).glob("*.jpg"))) == 12
    (tmp_path / "server").rename(tmp_path / "photos")
    with fakes(), fake_registration():
        run_study(here, executor=HereExecutor())
    assert _text(there) == _text(here)


def test_a_worker_of_another_version_is_refused(scheduler, tmp_path):
    store = _study(tmp_path, "trial", good_rows(1))
    with (
        fakes(),
        fake_registration(),
        pytest.MonkeyPatch.context() as patch,
        dask_cluster(scheduler) as executor,
    ):
        patch.setattr(running, "study_fingerprint", lambda _store: "e" * 64)
        with pytest.raises(ScalptrackError, match="another version of scalptrack"):
            run_study(store, executor=executor)
    assert store.outcomes() == ()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc that gives it back")
def test_a_worker_uses_the_memory_of_freed_arrays_again(scheduler):
    """Dask asks glibc to give it back to the system, which cost a sixth of the time."""

    def faults_of_large_arrays(_job, _place):
        import resource

        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(300):
            np.ones(2**17)
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    place = running.WorkPlace(None, None, "f" * 64, None)
    with dask_cluster(scheduler) as executor:
        faults = executor.submit(faults_of_large_arrays, None, place).result(60)
    pages = 300 * 8 * 2**17 / mmap.PAGESIZE
    assert faults < 0.2 * pages, faults


def test_memory_is_managed_as_before_where_nobody_asked_for_it(monkeypatch):
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    assert not keep_freed_memory.__wrapped__()


def test_the_unit_is_only_run_where_the_versions_are_the_same():
    place = running.WorkPlace(None, None, "f" * 64, None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "settings_fingerprint", lambda _settings: "f" * 64)
        assert unit_on_worker(lambda job, _place: job + 1, 1, place) == 2
        patch.setattr(running, "settings_fingerprint", lambda _settings: "e" * 64)
        with pytest.raises(ScalptrackError, match="Install the same on all machines"):
            unit_on_worker(lambda job, _place: job + 1, 1, place)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--engine", "dask"), "--engine dask needs --scheduler"),
        (("--scheduler", "tcp://127.0.0.1:1"), "--scheduler belongs to --engine dask"),
        (
            ("--engine", "dask", "--scheduler", "tcp://127.0.0.1:1", "--jobs", "2"),
            "--jobs is the number of processes here",
        ),
        (
            ("--engine", "dask", "--scheduler", "nonsense://x"),
            "No Dask scheduler answers at nonsense://x",
        ),
    ],
)
def test_options_that_can_not_work_say_why(tmp_path, options, text):
    store = _study(tmp_path, "trial", good_rows(1))
    result = invoke("run", store.folder, *options)
    assert result.exit_code == 2
    assert text in result.stderr
    assert [each.action for each in store.log_lines()] == ["init"]


def test_without_dask_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("scalptrack.study.cluster.find_spec", lambda _name: None)
    store = _study(tmp_path, "trial", good_rows(1))
    result = invoke("run", store.folder, "--engine", "dask", "--scheduler", "tcp://127.0.0.1:1")
    assert result.exit_code == 2
    assert "pip install 'scalptrack[study,dask]'" in result.stderr

"""Studies whose photographs lie at URLs: the results of the same photographs on disk."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import fsspec
import pytest
from study.fake_pipeline import HereExecutor, fake_registration, fakes
from study.stores import FaultyFileSystem
from study.study_files import COLUMNS, good_rows, invoke, tiny_photograph, write_manifest

from scalptrack.plain import to_plain
from scalptrack.study import running
from scalptrack.study.addresses import given_root
from scalptrack.study.export import export_study
from scalptrack.study.running import run_study
from scalptrack.study.status import doubt_about
from scalptrack.study.store import StudyStore, copies_folder
from scalptrack.study.tidy import load_results


@pytest.fixture(autouse=True)
def stores():
    """Empty stores before and after."""
    memory = fsspec.filesystem("memory")
    FaultyFileSystem.reset()
    memory.store.clear()
    yield
    FaultyFileSystem.reset()
    memory.store.clear()


@pytest.fixture
def pipeline():
    with fakes(), fake_registration():
        yield running


def _rows() -> list[tuple[str, ...]]:
    rows = good_rows(3)
    rows[1] = ("blurred.jpg", *rows[1][1:])
    rows[7] = ("stranger.jpg", *rows[7][1:])
    return rows


def _manifest(folder: Path, rows: list[tuple[str, ...]], *, prefix: str = "") -> Path:
    """A manifest without any photograph beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "manifest.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *((prefix + row[0], *row[1:]) for row in rows)])
    return path


def _fill(url: str, rows: list[tuple[str, ...]]) -> None:
    """Put the photographs of the rows there, the same as `write_manifest` makes."""
    for number, row in enumerate(rows):
        with fsspec.open(f"{url}/{row[0]}", "wb") as file:
            file.write(tiny_photograph(number))


def _fill_faulty(rows: list[tuple[str, ...]]) -> None:
    for number, row in enumerate(rows):
        FaultyFileSystem.files[f"clinic/{row[0]}"] = tiny_photograph(number)


def _init(folder: Path, manifest: Path, *options: str) -> StudyStore:
    result = invoke("init", folder, "--manifest", manifest, *options)
    assert result.exit_code == 0, result.output
    return StudyStore(folder)


def _mistakes(folder: Path, manifest: Path, *options: str) -> list[str]:
    result = invoke("init", folder, "--manifest", manifest, *options)
    assert result.exit_code == 2, result.output
    assert not (folder / "study.sqlite").exists()
    return [line[2:] for line in result.stderr.splitlines() if line.startswith("  line ")]


def _text(store: StudyStore) -> str:
    return json.dumps([to_plain(each) for each in store.outcomes()])


def _copies(store: StudyStore) -> dict[str, bytes]:
    folder = copies_folder(store.folder)
    return {each.name: each.read_bytes() for each in folder.glob("*.jpg")}


def _tables(store: StudyStore, folder: Path) -> dict[str, bytes]:
    export_study(load_results(store), folder)
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}


def test_photographs_at_a_url_give_the_bytes_of_those_on_disk(tmp_path, pipeline):
    _fill("memory://clinic/trial", _rows())
    disk = _init(tmp_path / "disk", write_manifest(tmp_path / "photos", _rows()))
    far = _init(
        tmp_path / "far", _manifest(tmp_path / "m", _rows()), "--photos", "memory://clinic/trial/"
    )
    counts = [run_study(each, executor=HereExecutor()) for each in (disk, far)]
    assert counts[1].line() == "12 photographs: 10 measured, 1 refused, 1 rejected"
    assert counts[0] == counts[1]
    assert _text(far) == _text(disk)
    assert far.finished_series() == disk.finished_series()
    assert _tables(far, tmp_path / "far-tables") == _tables(disk, tmp_path / "disk-tables")
    # Analyses are kept by content: the same for both.
    kept = [sorted(each.name for each in s.cache_folder.glob("*.npz")) for s in (disk, far)]
    assert kept[0] == kept[1] != []
    assert set(_copies(far).values()) == {tiny_photograph(number) for number in range(12)}
    assert {f"{each.sha256}.jpg" for each in far.photographs()} == set(_copies(far))


def test_urls_paths_and_names_can_stand_in_one_manifest(tmp_path, pipeline):
    rows = good_rows(1)
    _fill("memory://clinic", rows[:2])
    _fill(f"file://{tmp_path}/server", rows[:3])
    beside = tmp_path / "m" / rows[3][0]
    listed = [
        (f"memory://clinic/{rows[0][0]}", *rows[0][1:]),
        (f"/clinic/../clinic/./{rows[1][0]}".lstrip("/"), *rows[1][1:]),
        (f"file://{tmp_path}/server/{rows[2][0]}", *rows[2][1:]),
        (str(beside), *rows[3][1:]),
    ]
    manifest = _manifest(tmp_path / "m", listed)
    beside.write_bytes(tiny_photograph(3))
    store = _init(tmp_path / "trial", manifest, "--photos", "memory://")
    assert run_study(store, executor=HereExecutor()).measured == 4
    assert [each.name for each in store.photographs()] == [row[0] for row in listed]
    assert set(_copies(store).values()) == {tiny_photograph(number) for number in range(3)}


def test_a_local_folder_can_be_the_place_of_the_photographs(tmp_path, pipeline):
    write_manifest(tmp_path / "photos", good_rows(1))
    manifest = _manifest(tmp_path / "m", good_rows(1))
    store = _init(tmp_path / "trial", manifest, "--photos", str(tmp_path / "photos"))
    assert run_study(store, executor=HereExecutor()).measured == 4
    assert not copies_folder(store.folder).exists()
    result = invoke("init", tmp_path / "x", "--manifest", manifest, "--photos", tmp_path / "absent")
    assert result.exit_code == 2
    assert f"--photos {tmp_path / 'absent'} is no folder." in result.stderr


def test_what_is_wrong_with_photographs_at_urls_is_reported_together(tmp_path):
    rows = good_rows(2)
    _fill_faulty(rows)
    del FaultyFileSystem.files[f"clinic/{rows[0][0]}"]
    FaultyFileSystem.fail(f"clinic/{rows[1][0]}", PermissionError("no"))
    FaultyFileSystem.fail(f"clinic/{rows[2][0]}", ConnectionResetError("reset"))
    FaultyFileSystem.facts[f"clinic/{rows[3][0]}"] = {"size": 10**12}
    rows[4] = ("../else.jpg", *rows[4][1:])
    rows[5] = ("zip://a.jpg::faulty://clinic/x.zip", *rows[5][1:])
    rows[6] = (rows[7][0], *rows[6][1:])
    rows.append(("b.jpg", "s1", "vertex", "2024-04-31", "3", "B", "north", "40"))
    manifest = _manifest(tmp_path, rows)
    mistakes = _mistakes(tmp_path / "trial", manifest, "--photos", "faulty://clinic")
    assert mistakes == [
        "line 2: faulty://clinic/s0_2024-01-10_1.jpg does not exist. Check how it is written.",
        "line 3: faulty://clinic/s0_2024-01-10_2.jpg may not be read: no. Give this computer the "
        "right to read it, in the settings of the store's library or of fsspec; passwords and "
        "queries in a URL are not kept.",
        "line 4: faulty://clinic/s0_2024-04-10_1.jpg could not be fetched: reset. Check the "
        "network and the store, and run it again.",
        "line 5: faulty://clinic/s0_2024-04-10_2.jpg has more than 1232 MB, which no photograph "
        "of the allowed size has (--max-megapixels). It was not fetched.",
        "line 6: ../else.jpg leads out of --photos: write the whole address",
        "line 7: photo is a chain of addresses (::): give the address of the photograph itself",
        "line 9: s1_2024-04-10_2.jpg is already in line 8",
        "line 10: visit_date '2024-04-31' is not a date of the calendar written as YYYY-MM-DD",
    ]
    assert {what for what, _ in FaultyFileSystem.asked} == {"info"}, "read before all was right"


def test_a_store_that_does_not_answer_is_not_asked_for_every_photograph(tmp_path):
    rows = good_rows(3)
    _fill_faulty(rows)
    for row in rows:
        FaultyFileSystem.fail(f"clinic/{row[0]}", TimeoutError("no answer"))
    mistakes = _mistakes(
        tmp_path / "trial", _manifest(tmp_path, rows), "--photos", "faulty://clinic"
    )
    assert [each.partition(":")[0] for each in mistakes] == ["line 2", "line 3", "line 4"]
    assert mistakes[-1].endswith(
        "run it again. 9 more photographs of faulty://clinic were not asked for."
    )
    assert len(FaultyFileSystem.asked) == 6


def test_a_corrected_manifest_does_not_fetch_again_what_has_not_changed(tmp_path, pipeline):
    rows = good_rows(1)
    _fill_faulty(rows)
    for number, row in enumerate(rows[:3]):
        FaultyFileSystem.facts[f"clinic/{row[0]}"] = {"ETag": str(number)}
    FaultyFileSystem.files[f"clinic/{rows[3][0]}"] = tiny_photograph(0)
    manifest = _manifest(tmp_path, rows)
    options = (tmp_path / "trial", manifest, "--photos", "faulty://clinic")
    assert _mistakes(*options) == [
        "line 5: s0_2024-04-10_2.jpg is the same file as s0_2024-01-10_1.jpg in line 2"
    ]
    FaultyFileSystem.files[f"clinic/{rows[3][0]}"] = tiny_photograph(3)
    FaultyFileSystem.files[f"clinic/{rows[1][0]}"] = tiny_photograph(8)
    FaultyFileSystem.facts[f"clinic/{rows[1][0]}"] = {"ETag": "another"}
    FaultyFileSystem.asked.clear()
    store = _init(*options)
    opened = [path for what, path in FaultyFileSystem.asked if what == "open"]
    assert opened == [f"clinic/{rows[number][0]}" for number in (1, 3)]
    assert run_study(store, executor=HereExecutor()).measured == 4
    contents = {each.name: each.sha256 for each in store.photographs()}
    assert len(set(contents.values())) == 4


def test_copies_that_are_gone_or_damaged_are_fetched_again(tmp_path, pipeline):
    _fill_faulty(_rows())
    store = _init(tmp_path / "trial", _manifest(tmp_path, _rows()), "--photos", "faulty://clinic")
    run_study(store, executor=HereExecutor())
    before, copies = _text(store), _copies(store)
    shutil.rmtree(store.cache_folder)
    store.save_series("s0", "vertex", "", ())
    FaultyFileSystem.asked.clear()
    run_study(store, executor=HereExecutor())
    assert _text(store) == before
    assert len(_copies(store)) == 4
    victim = copies_folder(store.folder) / sorted(_copies(store))[0]
    victim.write_bytes(victim.read_bytes()[:-10])
    for entry in store.cache_folder.glob("*.npz"):
        entry.unlink()
    store.save_series("s0", "vertex", "", ())
    FaultyFileSystem.asked.clear()
    run_study(store, executor=HereExecutor())
    assert _text(store) == before
    assert victim.read_bytes() == copies[victim.name]
    assert len([what for what, _ in FaultyFileSystem.asked if what == "open"]) == 1
    assert not list(copies_folder(store.folder).glob("*.tmp"))


def test_copies_that_are_there_need_no_store(tmp_path, pipeline):
    _fill_faulty(_rows())
    store = _init(tmp_path / "trial", _manifest(tmp_path, _rows()), "--photos", "faulty://clinic")
    FaultyFileSystem.reset()
    assert run_study(store, executor=HereExecutor()).measured == 10
    assert FaultyFileSystem.asked == []


def test_a_copy_has_the_same_path_for_processes_that_work_elsewhere(tmp_path, monkeypatch):
    _fill_faulty(good_rows(1))
    monkeypatch.chdir(tmp_path)
    manifest = _manifest(tmp_path, good_rows(1))
    store = _init(Path("trial"), manifest, "--photos", "faulty://clinic")
    for each in store.photographs():
        path = store.as_photograph(each).path
        assert path == copies_folder(tmp_path / "trial") / f"{each.sha256}.jpg"
        assert path.is_file()


def test_a_failed_fetch_is_the_reason_of_one_photograph_and_is_tried_again(tmp_path, pipeline):
    rows = good_rows(5)
    _fill_faulty(rows)
    store = _init(tmp_path / "trial", _manifest(tmp_path, rows), "--photos", "faulty://clinic")
    shutil.rmtree(store.cache_folder)
    names = [f"s{number}_2024-04-10_1.jpg" for number in range(5)]
    contents = {f"clinic/{name}": FaultyFileSystem.files[f"clinic/{name}"] for name in names}
    del FaultyFileSystem.files[f"clinic/{names[0]}"]
    FaultyFileSystem.fail(f"clinic/{names[1]}", PermissionError("no"))
    FaultyFileSystem.fail(f"clinic/{names[2]}", ConnectionResetError("reset"))
    FaultyFileSystem.files[f"clinic/{names[3]}"] = b"another photograph"
    FaultyFileSystem.facts[f"clinic/{names[4]}"] = {"size": 10**12}
    counts = run_study(store, executor=HereExecutor())
    assert counts.line() == "20 photographs: 15 measured, 0 refused, 5 rejected"
    export_study(load_results(store), tmp_path / "tables")
    with (tmp_path / "tables" / "photographs.csv").open(newline="", encoding="utf-8") as file:
        found = {row["photo"]: row for row in csv.DictReader(file)}
    codes = ["missing", "unreadable", "not_reached", "content_changed", "content_changed"]
    assert [found[name]["reason_code"] for name in names] == codes
    assert "could not be fetched: reset." in found[names[2]]["reason"]
    assert "is not the file that the study was made with" in found[names[3]]["reason"]
    assert found[names[4]]["reason"].endswith("It is not what the study was made with.")
    copies = _copies(store)
    assert len(copies) == 15
    assert all(f"{hashlib.sha256(copies[name]).hexdigest()}.jpg" == name for name in copies)
    for each in (FaultyFileSystem.faults, FaultyFileSystem.times, FaultyFileSystem.facts):
        each.clear()
    FaultyFileSystem.files.update(contents)
    counts = run_study(store, executor=HereExecutor())
    assert counts.line() == "20 photographs: 20 measured, 0 refused, 0 rejected"
    assert counts.series_now == 5


def test_photographs_that_were_moved_are_found_where_they_are_now(tmp_path, pipeline):
    rows = _rows()
    still = _init(tmp_path / "still", write_manifest(tmp_path / "photos", rows))
    moved = _init(tmp_path / "moved", tmp_path / "photos" / "manifest.csv")
    run_study(still, executor=HereExecutor())
    (tmp_path / "photos").rename(tmp_path / "elsewhere")
    _fill_faulty(rows)
    FaultyFileSystem.files[f"clinic/{rows[4][0]}"] = b"another photograph"
    assert run_study(moved, executor=HereExecutor()).rejected == 12
    far = StudyStore(moved.folder, photos=given_root("faulty://me:pass-word@clinic?sig=signature"))
    assert run_study(far, executor=HereExecutor()).rejected == 2
    assert moved.log_lines()[-2].details["photo_root"] == "faulty://clinic"
    near = StudyStore(moved.folder, photos=given_root(str(tmp_path / "elsewhere")))
    assert run_study(near, executor=HereExecutor()).rejected == 1
    assert _text(near) == _text(still)


def test_the_place_of_moved_photographs_is_checked_and_used_by_the_command(
    tmp_path, pipeline, monkeypatch
):
    here = nullcontext(HereExecutor())
    monkeypatch.setattr("scalptrack.cli.study._executor", lambda _scheduler, _jobs: here)
    rows = good_rows(1)
    store = _init(tmp_path / "trial", write_manifest(tmp_path / "photos", rows))
    (tmp_path / "photos").rename(tmp_path / "elsewhere")
    arguments = ("run", store.folder, "--jobs", "1", "--quiet", "--photos")
    for place, words in (
        (tmp_path / "photos", f"--photos {tmp_path / 'photos'} is no folder."),
        ("zip://x::faulty://clinic", "--photos is a chain of addresses (::)"),
    ):
        result = invoke(*arguments, place)
        assert result.exit_code == 2
        assert words in result.stderr
    assert store.outcomes() == ()
    result = invoke(*arguments, tmp_path / "elsewhere")
    assert result.exit_code == 0, result.output
    assert len(store.outcomes()) == 4


@pytest.mark.parametrize(
    ("error", "doubtful"), [(ConnectionResetError("reset"), True), (PermissionError("no"), False)]
)
def test_an_outage_is_no_ground_for_conclusions(tmp_path, pipeline, monkeypatch, error, doubtful):
    monkeypatch.setattr("scalptrack.study.status.study_fingerprint", lambda _store: "f" * 64)
    _fill_faulty(good_rows(1))
    manifest = _manifest(tmp_path, good_rows(1))
    store = _init(tmp_path / "trial", manifest, "--photos", "faulty://clinic")
    shutil.rmtree(store.cache_folder)
    FaultyFileSystem.fail("clinic/s0_2024-04-10_1.jpg", error)
    run_study(store, executor=HereExecutor())
    result = invoke("stats", store.folder)
    assert ("1 photograph of" in result.stderr) is doubtful
    if doubtful:
        assert result.exit_code == 2
        assert "could not be fetched from where they lie" in result.stderr
    FaultyFileSystem.times.clear()
    run_study(store, executor=HereExecutor())
    assert doubt_about(store) == ""


def test_nothing_that_is_written_holds_a_password_or_a_query(tmp_path, pipeline, caplog):
    rows = good_rows(1)
    _fill_faulty(rows)
    root = "faulty://me:pass-word@clinic?sig=signature"
    url = f"faulty://me:pass-word@clinic/{rows[0][0]}?sig=signature"
    manifest = _manifest(tmp_path / "m", [(url, *rows[0][1:]), *rows[1:]])
    store = _init(tmp_path / "trial", manifest, "--photos", root)
    assert run_study(store, executor=HereExecutor()).measured == 4
    assert store.photographs()[0].name == f"faulty://clinic/{rows[0][0]}"
    assert store.photo_root.address == "faulty://clinic"
    assert store.log_lines()[0].details["photo_root"] == "faulty://clinic"
    export_study(load_results(store), tmp_path / "trial" / "export")
    store.close()
    written = [each for each in (tmp_path / "trial").rglob("*") if each.is_file()]
    assert len(written) > 10
    for each in written:
        assert b"pass-word" not in each.read_bytes(), each
        assert b"signature" not in each.read_bytes(), each
    assert "pass-word" not in caplog.text


def test_two_urls_that_differ_in_what_is_not_kept_are_a_mistake(tmp_path):
    rows = good_rows(1)
    _fill_faulty(rows)
    listed = [(f"faulty://clinic/{rows[0][0]}?id={n}", *row[1:]) for n, row in enumerate(rows)]
    assert _mistakes(tmp_path / "trial", _manifest(tmp_path, listed))[0] == (
        "line 3: faulty://clinic/s0_2024-01-10_1.jpg is already in line 2 (what follows ? is not "
        "kept)"
    )


def test_blinded_packs_fetch_what_is_gone(tmp_path, pipeline):
    _fill_faulty(_rows())
    store = _init(tmp_path / "trial", _manifest(tmp_path, _rows()), "--photos", "faulty://clinic")
    run_study(store, executor=HereExecutor())
    shutil.rmtree(copies_folder(store.folder))
    write_manifest(tmp_path / "elsewhere", _rows())
    with pytest.MonkeyPatch.context() as patch:
        for module in ("status", "blinding"):
            name = f"scalptrack.study.{module}.study_fingerprint"
            patch.setattr(name, lambda _store: "f" * 64)
        near = invoke(
            *("blind", store.folder, "--out", tmp_path / "near"),
            *("--photos", tmp_path / "elsewhere"),
        )
        assert near.exit_code == 0, near.output
        assert _copies(store) == {}
        result = invoke("blind", store.folder, "--out", tmp_path / "pack")
    assert result.exit_code == 0, result.output
    assert len(_copies(store)) == 6


def test_worker_processes_fetch_for_themselves(tmp_path):
    """With the real pipeline, which finds no head in noise."""
    rows = good_rows(1)
    _fill(f"file://{tmp_path}/server", rows)
    store = _init(
        tmp_path / "trial", _manifest(tmp_path, rows), "--photos", f"file://{tmp_path}/server"
    )
    (tmp_path / "server" / rows[3][0]).unlink()
    shutil.rmtree(store.cache_folder)
    result = invoke("run", store.folder, "--jobs", "1", "--quiet")
    assert result.exit_code == 1, result.output
    codes = [each.reason.code for each in store.outcomes()]
    assert len(set(codes[:3]) & {"missing", "not_reached", "internal_error"}) == 0
    assert codes[3] == "missing"
    assert len(_copies(store)) == 3


def test_photographs_on_disk_need_no_fsspec(tmp_path):
    manifest = write_manifest(tmp_path / "photos", good_rows(1))
    code = (
        "import sys\n"
        "from scalptrack.cli.main import main\n"
        f"arguments = ['study', 'init', {str(tmp_path / 'trial')!r}, '--quiet']\n"
        "try:\n"
        f"    main([*arguments, '--manifest', {str(manifest)!r}])\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "print('fsspec' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "False"
    assert (tmp_path / "trial" / "study.sqlite").exists()
    assert not (tmp_path / "trial" / "cache").exists()


def test_without_fsspec_it_says_once_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("scalptrack.study.fetching.find_spec", lambda _name: None)
    manifest = _manifest(tmp_path, good_rows(1))
    assert _mistakes(tmp_path / "trial", manifest, "--photos", "s3://clinic") == [
        "line 2: s3://clinic/s0_2024-01-10_1.jpg needs fsspec, which is not installed. Install it "
        "with: pip install 'scalptrack[study,remote]'. 3 more photographs of s3://clinic were not "
        "asked for."
    ]

"""Studies that are killed, or meet a bad disk, must end with the tables of an undisturbed run.

    python -m lab.benchmarks.kills --kills 100
    python -m lab.benchmarks.kills --kills 0 --faults

Photographs of ``sample_images`` (encoded again, so that each has bytes of its own) are measured by
the program as a user starts it. It is killed with SIGKILL at random moments, alone or with all its
workers, and started again until it reaches the end; then everything that it exported is
compared byte for byte with an undisturbed run. When a study is finished the next one begins, until
the number of kills is reached.

``--faults`` makes the disk full, the study read-only, forbids folders, a manifest, a database and
a photograph, and replaces a photograph while the study is measured: each must end with status 2 (or
1 for photographs) and a sentence, and the next run with the same tables. It mounts a small file
system in memory; what is forbidden is tried without the right of root to pass over permissions
(``setpriv``; where that is missing, as another user). So it needs root.
"""

from __future__ import annotations

import argparse
import csv
import os
import pwd
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

SAMPLES = Path(__file__).parents[2] / "sample_images"
ROOT = Path(__file__).parents[2]
VISITS = ("2024-03-04", "2024-06-03")
SUBJECTS = ("subject-03", "subject-01")

OVER_PERMISSIONS = "-dac_override,-dac_read_search"
HELD = ("setpriv", "--bounding-set", OVER_PERMISSIONS, "--inh-caps", OVER_PERMISSIONS)
"""Starts a command without root's rights to read and write what permissions forbid."""

UNPRIVILEGED = "nobody"
SOMEBODY = 54_321
"""Number of a user who is neither root nor `UNPRIVILEGED`; it needs no account."""


@dataclass(frozen=True)
class Ended:
    code: int
    text: str


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "scalptrack", "study", *(str(each) for each in arguments)]


def call(*arguments: object, user: str | None = None, through: tuple[str, ...] = ()) -> Ended:
    run = subprocess.run(
        [*through, *command(*arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        user=user,
    )
    return Ended(run.returncode, run.stderr.strip())


def make_photographs(
    folder: Path, copies: int, people: int = len(SUBJECTS), *, longest_px: int | None = None
) -> Path:
    """A manifest of the samples' first photographs, each so many times as another subject.

    Copies differ in a comment of the file, so that each has a content, and a cache, of its own.
    """
    folder.mkdir(parents=True)
    rows = []
    for subject in SUBJECTS[:people]:
        found = sorted((SAMPLES / subject / "vertex").glob("*.jpg"))
        dates = sorted({path.name[:10] for path in found})[: len(VISITS)]
        for day in dates:
            with Image.open(next(path for path in found if path.name.startswith(day))) as image:
                exif = image.getexif()
                if longest_px:
                    image.thumbnail((longest_px, longest_px))
                for copy in range(copies):
                    name = f"{subject}-{copy}_{day}.jpg"
                    image.save(folder / name, quality=90, exif=exif, comment=f"copy {copy}")
                    arm = "AB"[copy % 2]
                    rows.append((name, f"{subject}-{copy}", "vertex", day, "1", arm))
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("photo", "subject", "view", "visit_date", "replicate", "arm"))
        writer.writerows(rows)
    return folder / "manifest.csv"


def new_study(folder: Path, manifest: Path) -> Path:
    made = call("init", folder, "--manifest", manifest, "--quiet")
    if made.code != 0:
        raise SystemExit(made.text)
    return folder


def tables(study: Path, out: Path) -> dict[str, bytes]:
    """Every exported file by name."""
    ended = call("export", study, "--out", out, "--quiet")
    if ended.code != 0:
        raise SystemExit(f"export of {study} ended with {ended.code}: {ended.text}")
    return {path.name: path.read_bytes() for path in out.glob("[!.]*") if path.is_file()}


def differences(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def run_until_killed(study: Path, delay_s: float, *, group: bool, jobs: int) -> int | None:
    """Start a run and kill it after a while; its exit status when it ended before."""
    process = subprocess.Popen(
        command("run", study, "--jobs", jobs, "--quiet"),
        cwd=ROOT,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        process.wait(delay_s)
    except subprocess.TimeoutExpired:
        if group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            # The workers see the end of their queue, finish what they have, and go.
            process.kill()
        process.wait()
        return None
    return process.returncode


def progress_of(study: Path) -> tuple[int, int]:
    """Photographs analysed, and subjects with results, as the file says."""
    with closing(sqlite3.connect(study / "study.sqlite")) as connection:
        return tuple(  # type: ignore[return-value]
            connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for name in ("analyses", "series")
        )


def kill_study(
    work: Path, manifest: Path, *, kills: int, jobs: int, chance: random.Random
) -> tuple[Path, int]:
    """One study, killed until it is finished or the kills are used up, and then finished."""
    study = new_study(work / f"killed-{time.monotonic_ns()}", manifest)
    done = 0
    longest_s = 10.0
    while done < kills:
        delay = chance.uniform(0.0, longest_s)
        group = chance.random() < 0.5
        code = run_until_killed(study, delay, group=group, jobs=jobs)
        if code is not None:
            break
        done += 1
        # Longer and longer, so that the kills reach every part of the work on any machine.
        longest_s *= 1.3
        print(f"  killed after {delay:.1f} s ({'all' if group else 'alone'}): {progress_of(study)}")
    ended = call("run", study, "--jobs", jobs, "--quiet")
    if ended.code != 0:
        raise SystemExit(f"a resumed run ended with {ended.code}: {ended.text}")
    return study, done


def kill_runs(work: Path, manifest: Path, expected: dict[str, bytes], options) -> None:
    chance = random.Random(options.seed)
    total = studies = wrong = 0
    while total < options.kills:
        study, done = kill_study(
            work,
            manifest,
            kills=options.kills - total,
            jobs=options.jobs,
            chance=chance,
        )
        studies += 1
        total += done
        different = differences(expected, tables(study, work / f"{study.name}-tables"))
        wrong += bool(different)
        print(f"{total} kills in {studies} studies; files that differ: {different or 'none'}")
        shutil.rmtree(study)
    print(f"{total} kills: {studies} studies resumed, {wrong} of them with other tables")


def report(name: str, ended: Ended, code: int, words: str) -> None:
    """One line; a fault that is not told as it should be ends the benchmark."""
    good = ended.code == code and re.search(words, ended.text) and "Traceback" not in ended.text
    print(f"{name}: {'as it should be' if good else 'WRONG'} ({ended.code}) {ended.text}")
    if not good:
        raise SystemExit(1)


def same_in_the_end(name: str, study: Path, work: Path, expected: dict[str, bytes]) -> None:
    ended = call("run", study, "--jobs", 1, "--quiet")
    different = differences(expected, tables(study, work / f"{name}-tables"))
    print(f"  run again: {ended.code}, files that differ: {different or 'none'}")
    if ended.code != 0 or different:
        raise SystemExit(1)


def knowing_all(study: Path, whole: Path) -> Path:
    """Give a study what the undisturbed one computed, so that its runs take seconds."""
    shutil.copytree(whole / "cache", study / "cache")
    return study


def full_disk(work: Path, manifest: Path, expected: dict[str, bytes]) -> None:
    """The study's folder on a file system that another file fills, and a study init on it."""
    disk = work / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "none", disk], check=True)
    try:
        study = new_study(disk / "trial", manifest)
        with (disk / "filler").open("wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(1 << 12))
            except OSError:
                pass
        ended = call("run", study, "--jobs", 1, "--quiet")
        report("full disk", ended, 2, "can't be (used|written)")
        made = call("init", disk / "other", "--manifest", manifest)
        report("study init on a full disk", made, 2, "can't be (used|made)")
        (disk / "filler").unlink()
        same_in_the_end("full", knowing_all(study, work / "whole"), work, expected)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        report("read-only", call("run", study, "--jobs", 1, "--quiet"), 2, "can't be used")
        exported = call("export", study, "--out", disk / "tables")
        report("export to a read-only place", exported, 2, "can't be (used|written)")
    finally:
        subprocess.run(["umount", disk], check=True)


def permissions_hold() -> bool:
    """Whether a command can be started that is held to the permissions of files."""
    if shutil.which(HELD[0]):
        return True
    try:
        subprocess.run([sys.executable, "-c", ""], user=UNPRIVILEGED, check=True)
    except (PermissionError, subprocess.CalledProcessError) as error:
        print(f"permission denied: NOT TRIED, the other user may not run this Python ({error})")
        return False
    return True


def call_held(*arguments: object) -> Ended:
    """Call the program without root's right to pass over permissions."""
    if not shutil.which(HELD[0]):
        return call(*arguments, user=UNPRIVILEGED)
    return call(*arguments, through=HELD)


def give(path: Path, owner: int) -> None:
    """Give a folder and all that is in it to a user; others may read."""
    for each in (path, *path.rglob("*")):
        os.chown(each, owner, -1)
        each.chmod(0o755 if each.is_dir() else 0o644)


def forbidden(work: Path, manifest: Path, expected: dict[str, bytes]) -> None:
    """Folders of somebody else, and a manifest, a database and a photograph nobody may read."""
    if not permissions_hold():
        return
    study = knowing_all(new_study(work / "forbidden", manifest), work / "whole")
    work.chmod(0o755)
    give(manifest.parent, os.getuid())
    run = ("run", study, "--jobs", 1, "--quiet")
    elsewhere = work / "somebody"
    elsewhere.mkdir()
    give(elsewhere, SOMEBODY)
    made = call_held("init", elsewhere / "trial", "--manifest", manifest)
    report("study init in somebody's folder", made, 2, "can't be (used|made|written)")
    give(study, SOMEBODY)
    report("a study of somebody", call_held(*run), 2, "can't be used")
    (study / "study.sqlite").chmod(0)
    report("a study that nobody may read", call_held("status", study), 2, "can't be used")
    study.chmod(0o700)
    report(
        "a study in a closed folder", call_held("status", study), 2, "not readable|can't be used"
    )
    user = os.getuid() if shutil.which(HELD[0]) else pwd.getpwnam(UNPRIVILEGED).pw_uid
    give(study, user)
    manifest.chmod(0)
    made = call_held("init", work / "unread", "--manifest", manifest)
    report("a manifest that nobody may read", made, 2, "manifest.csv")
    victim = max(manifest.parent.glob("*.jpg"))
    victim.chmod(0)
    give(study / "cache", SOMEBODY)
    report("a photograph and a cache that are forbidden", call_held(*run), 1, "1 rejected")
    exported = call_held("export", study, "--out", elsewhere / "tables")
    report("export into somebody's folder", exported, 2, "can't be (used|made|written)")
    give(manifest.parent, os.getuid())
    give(study, os.getuid())
    same_in_the_end("forbidden", study, work, expected)


def replaced(work: Path, manifest: Path, expected: dict[str, bytes]) -> None:
    """The last photograph gets another content when the first one is analysed."""
    study = new_study(work / "replaced", manifest)
    victim = max(manifest.parent.glob("*.jpg"))
    original = victim.read_bytes()
    run = subprocess.Popen(
        command("run", study, "--jobs", 1, "--quiet"), cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    while run.poll() is None and progress_of(study)[0] == 0:
        time.sleep(0.05)
    victim.write_bytes(min(manifest.parent.glob("*.jpg")).read_bytes())
    text = run.communicate()[1].strip()
    status = call("status", study)
    print(f"replaced during the run: {run.returncode} {text}; {status.text}")
    victim.write_bytes(original)
    if run.returncode != 1 or "1 rejected" not in text:
        raise SystemExit(1)
    same_in_the_end("replaced", study, work, expected)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--people", type=int, default=len(SUBJECTS))
    parser.add_argument("--copies", type=int, default=2, help="of each of these people")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", action="store_true")
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="scalptrack-kills-"))
    try:
        manifest = make_photographs(work / "photos", options.copies, options.people)
        whole = new_study(work / "whole", manifest)
        started = time.monotonic()
        ended = call("run", whole, "--jobs", options.jobs, "--quiet")
        print(f"undisturbed run: {time.monotonic() - started:.0f} s; {ended.text}")
        if ended.code != 0:
            return 1
        expected = tables(whole, work / "whole-tables")
        if options.kills:
            kill_runs(work, manifest, expected, options)
        if options.faults:
            for fault in (full_disk, forbidden, replaced):
                fault(work, manifest, expected)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

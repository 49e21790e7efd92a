"""The manifest of a study: read, checked as a whole, and every mistake reported with its line.

Nothing is guessed. A date that fits no planned visit, a second photograph of a visit without a
replicate number, a subject in two arms: each is a mistake with its line, and all are reported
together. Visits that are missing are reported in the same list, unless they are allowed.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median

from scalptrack.errors import InputError
from scalptrack.filenames import view_named
from scalptrack.manifest import (
    CONFIRMED_COLUMN,
    read_confirmed,
    read_date,
    read_table,
    unconfirmed_view,
)
from scalptrack.study.addresses import PhotoRoot, given_root, is_url, problem_of, shown
from scalptrack.study.content import COPIES_FOLDER, PhotographFiles, Problems
from scalptrack.study.design import (
    ManifestLine,
    MissingVisit,
    Schedule,
    StudyDesign,
    StudyPhotograph,
)
from scalptrack.study.parquet import read_parquet_table

REQUIRED_COLUMNS = ("photo", "subject", "view", "visit_date", "arm")
KNOWN_COLUMNS = (*REQUIRED_COLUMNS, "replicate", "site", "visit", CONFIRMED_COLUMN)
EARLIEST_YEAR = 1900
"""An earlier date is a slip of the keyboard: there are no such photographs of scalps."""


def read_study_manifest(
    path: Path,
    *,
    photos: str = "",
    copies: Path | None = None,
    schedule: Schedule | None = None,
    allow_missing: bool = False,
    max_megapixels: float = 150.0,
    today: date | None = None,
    on_step: Callable[[str], None] = lambda _name: None,
) -> StudyDesign:
    """Design of a study from its manifest, CSV or Parquet.

    Parameters
    ----------
    path : Path
        Columns photo, subject, view, visit_date, arm; if wanted replicate, site, visit; all others
        are covariates.
    photos : str
        Folder or URL where relative names of photographs begin; the manifest's folder when it is
        empty.
    copies : Path, optional
        Where photographs at URLs are copied to; by their content. Beside the manifest when not
        given.
    schedule : Schedule, optional
        Planned days after each subject's first date. Without it the column ``visit`` names the
        visits; with neither, dates are numbered if all subjects have the same number of them.
    allow_missing : bool
        Missing visits are listed in the design and are no mistake.
    today : date, optional
        Later dates are impossible; the computer's date when not given.
    on_step : callable
        Called with the name of each photograph that was hashed.

    Raises
    ------
    InputError
        If the table can't be read, or has any mistake: all are named.
    """
    problems: Problems = []
    lines, covariates, doubtful = _read_lines(path, problems, today or datetime.now(tz=UTC).date())
    root = given_root(photos) if photos else PhotoRoot(str(path.parent.resolve()))
    files = PhotographFiles(
        root, copies or path.parent / COPIES_FOLDER, max_megapixels=max_megapixels
    )
    files.find(lines, problems)
    _check_subjects(lines, covariates, problems)
    _check_spelling(lines, problems)
    replicates = _replicates(lines, problems)
    names, order = _name_visits(lines, schedule, problems, doubtful)
    missing = _missing_visits(lines, names, order)
    if not allow_missing:
        missing = tuple(each for each in missing if each.subject not in doubtful)
        first_line = {each.subject: each.line for each in reversed(lines)}
        problems += _missing_words(missing, first_line)
    _raise(path, problems)
    hashes, notes = files.hashes(lines, problems, on_step)
    _raise(path, problems)
    photographs = [
        StudyPhotograph(
            name=each.photo,
            sha256=hashes[each.photo],
            subject=each.subject,
            view=each.view,
            visit=names[each.subject, each.visit_date],
            visit_date=each.visit_date,
            replicate=replicates[each.line],
            arm=each.arm,
            site=each.site,
            covariates=each.covariates,
            line=each.line,
        )
        for each in lines
    ]
    photographs.sort(key=lambda each: (each.subject, each.view, each.visit_date, each.replicate))
    return StudyDesign(
        photographs=tuple(photographs),
        visits=order,
        arms=tuple(sorted({each.arm for each in lines})),
        views=tuple(sorted({each.view for each in lines})),
        covariates=covariates,
        missing=missing,
        notes=notes,
        photo_root=shown(root.address),
    )


def _raise(path: Path, problems: Problems) -> None:
    """Raise all mistakes together, in order of their lines."""
    if not problems:
        return
    shown = [f"line {line}: {text}" for line, text in sorted(problems)]
    count = "1 mistake" if len(shown) == 1 else f"{len(shown)} mistakes"
    raise InputError(f"{path} has {count}:\n  " + "\n  ".join(shown))


def _read_lines(
    path: Path, problems: Problems, today: date
) -> tuple[list[ManifestLine], tuple[str, ...], set[str]]:
    """Lines that can be understood on their own, names of the covariates, and whose lines can't.

    A subject with such a line is not said to miss the visit that the line may be about.
    """
    if path.suffix.lower() == ".parquet":
        table = read_parquet_table(path, required=REQUIRED_COLUMNS)
    else:
        table = read_table(path, required=REQUIRED_COLUMNS)
    for text in table.errors:
        number, _, rest = text.removeprefix("line ").partition(": ")
        problems.append((int(number), rest))
    header = dict.fromkeys(name for _, cells in table.lines for name in cells)
    covariates = tuple(name for name in header if name and name not in KNOWN_COLUMNS)
    lines: list[ManifestLine] = []
    doubtful: set[str] = set()
    for line, cells in table.lines:
        read, wrong = _read_line(line, cells, covariates, today, has_visits="visit" in header)
        problems += [(line, text) for text in wrong]
        if read is None:
            doubtful.add(cells.get("subject", ""))
        else:
            lines.append(read)
    if not table.lines:
        problems.append((1, "there is no photograph below the header"))
    return lines, covariates, doubtful


def _read_line(
    line: int, cells: dict[str, str], covariates: Sequence[str], today: date, *, has_visits: bool
) -> tuple[ManifestLine | None, list[str]]:
    """One line, None without a subject, view, date or arm, and what is wrong with it."""
    needed = (*REQUIRED_COLUMNS, *(["visit"] if has_visits else []))
    wrong = [f"{column} is empty" for column in needed if not cells.get(column)]
    visit_date, problem = read_date(cells.get("visit_date", ""), "visit_date")
    wrong += [problem] if problem else []
    if visit_date is not None and visit_date > today + timedelta(days=1):
        wrong.append(f"visit_date {visit_date} lies in the future")
    if visit_date is not None and visit_date.year < EARLIEST_YEAR:
        wrong.append(f"visit_date {visit_date} is before {EARLIEST_YEAR}")
    confirmed, problem = read_confirmed(cells.get(CONFIRMED_COLUMN, ""))
    wrong += [problem] if problem else []
    if not confirmed:
        wrong.append(unconfirmed_view(cells.get("photo", ""), cells.get("view", "")).message)
    text = cells.get("replicate", "")
    replicate = int(text) if text.isdecimal() and 0 < int(text) < 10_000 else None
    if text and replicate is None:
        wrong.append(f"replicate {text!r} is not a whole number from 1")
    photo = cells.get("photo", "")
    address = problem_of(photo) if is_url(photo) else ""
    wrong += [f"photo {address}"] if address else []
    if visit_date is None or address or any(not cells.get(column) for column in needed):
        return None, wrong
    source = photo if is_url(photo) else photo.replace("\\", "/")
    read = ManifestLine(
        line=line,
        photo=shown(source),
        source=source,
        subject=cells["subject"],
        view=view_named(cells["view"]) or cells["view"],
        visit_date=visit_date,
        replicate=replicate,
        arm=cells["arm"],
        site=cells.get("site", ""),
        visit=cells.get("visit", ""),
        covariates={name: cells.get(name, "") for name in covariates},
    )
    return read, wrong


def _check_subjects(
    lines: Sequence[ManifestLine], covariates: Sequence[str], problems: Problems
) -> None:
    """Subjects in two arms or sites, and covariates that differ within a visit."""
    first: dict[tuple[str, ...], tuple[str, int]] = {}
    for each in lines:
        stated: dict[tuple[str, ...], str] = {
            ("arm", each.subject): each.arm,
            ("site", each.subject): each.site,
        }
        day = each.visit_date.isoformat()
        stated |= {(name, each.subject, day): each.covariates[name] for name in covariates}
        for key, value in stated.items():
            known, line = first.setdefault(key, (value, each.line))
            if known != value:
                where = f" on {key[2]}" if len(key) > 2 else ""
                problems.append(
                    (
                        each.line,
                        f"subject {each.subject} has {key[0]} {value!r}{where} here and {known!r} "
                        f"in line {line}",
                    )
                )


def _check_spelling(lines: Sequence[ManifestLine], problems: Problems) -> None:
    """Labels that differ in case, spaces or the coding of accents alone: one slip, two arms."""
    first: dict[tuple[str, str], tuple[str, int]] = {}
    reported: set[tuple[str, str]] = set()
    for each in lines:
        for column in ("subject", "arm", "view", "visit", "site"):
            label = getattr(each, column)
            alike = " ".join(unicodedata.normalize("NFKC", label).casefold().split())
            known, line = first.setdefault((column, alike), (label, each.line))
            if known != label and (column, label) not in reported:
                reported.add((column, label))
                text = f"{column} {label!r} is written {known!r} in line {line}: write it alike"
                problems.append((each.line, text))


def _replicates(lines: Sequence[ManifestLine], problems: Problems) -> dict[int, int]:
    """Replicate number by line; a number may be missing only where it is not needed."""
    places: dict[tuple[str, str, date], list[ManifestLine]] = defaultdict(list)
    for each in lines:
        places[each.subject, each.view, each.visit_date].append(each)
    numbers: dict[int, int] = {}
    for members in places.values():
        taken: dict[int, int] = {}
        for each in members:
            number = each.replicate
            if number is None and len(members) > 1:
                problems.append(
                    (
                        each.line,
                        f"replicate is empty, and {each.subject}, {each.view}, {each.visit_date} "
                        f"has {len(members)} photographs: number them",
                    )
                )
                continue
            number = number or 1
            before = taken.setdefault(number, each.line)
            if before != each.line:
                problems.append(
                    (
                        each.line,
                        f"replicate {number} of {each.subject}, {each.view}, {each.visit_date} is "
                        f"already in line {before}",
                    )
                )
            numbers[each.line] = number
    return numbers


def _name_visits(
    lines: Sequence[ManifestLine],
    schedule: Schedule | None,
    problems: Problems,
    doubtful: set[str],
) -> tuple[dict[tuple[str, date], str], tuple[str, ...]]:
    """Planned visit of every subject and date, and the visits in order of time."""
    dates: dict[str, dict[date, ManifestLine]] = defaultdict(dict)
    for each in sorted(lines, key=lambda each: (each.subject, each.visit_date, each.line)):
        dates[each.subject].setdefault(each.visit_date, each)
    if any(each.visit for each in lines):
        if schedule is not None:
            problems.append((1, "there is a column visit, so --visits can't be given"))
        return _visits_by_column(lines, problems)
    if schedule is not None:
        return _visits_by_schedule(dates, schedule, problems)
    return _visits_by_number(dates, problems, doubtful)


def _visits_by_column(
    lines: Sequence[ManifestLine], problems: Problems
) -> tuple[dict[tuple[str, date], str], tuple[str, ...]]:
    """Visits as the table names them; their order is that of their median day."""
    first_date: dict[str, date] = {}
    for each in lines:
        first_date[each.subject] = min(first_date.get(each.subject, date.max), each.visit_date)
    days: dict[str, list[int]] = defaultdict(list)
    for each in lines:
        days[each.visit].append((each.visit_date - first_date[each.subject]).days)
    order = tuple(sorted(days, key=lambda name: (median(days[name]), name)))
    names: dict[tuple[str, date], tuple[str, int]] = {}
    held: dict[tuple[str, str], tuple[date, int]] = {}
    for each in lines:
        name, line = names.setdefault((each.subject, each.visit_date), (each.visit, each.line))
        if name != each.visit:
            problems.append(
                (
                    each.line,
                    f"subject {each.subject} is at visit {each.visit!r} on {each.visit_date} here "
                    f"and at {name!r} in line {line}",
                )
            )
        day, line = held.setdefault((each.subject, each.visit), (each.visit_date, each.line))
        if day != each.visit_date:
            problems.append((each.line, _two_dates(each.subject, each.visit, each, day, line)))
    last: dict[str, tuple[int, str]] = {}
    for subject, day in sorted(names):
        name, line = names[subject, day]
        place, before = last.get(subject, (-1, ""))
        if order.index(name) < place:
            text = f"visit {name!r} of subject {subject} on {day} comes after {before!r}"
            problems.append((line, text))
        last[subject] = (order.index(name), name)
    return {key: name for key, (name, _) in names.items()}, order


def _two_dates(subject: str, visit: str, here: ManifestLine, day: date, line: int) -> str:
    return (
        f"visit {visit!r} of subject {subject} is on {here.visit_date} here and on {day} in line "
        f"{line}"
    )


def _visits_by_schedule(
    dates: dict[str, dict[date, ManifestLine]], schedule: Schedule, problems: Problems
) -> tuple[dict[tuple[str, date], str], tuple[str, ...]]:
    """Visits whose window holds the date, counted from each subject's first one."""
    names: dict[tuple[str, date], str] = {}
    for subject, by_date in dates.items():
        first = min(by_date)
        held: dict[str, ManifestLine] = {}
        for day, line in by_date.items():
            after = (day - first).days
            name = schedule.visit_of(after)
            if name is None:
                planned = ", ".join(map(str, schedule.days))
                problems.append(
                    (
                        line.line,
                        f"{day} is day {after} of subject {subject}, which is within "
                        f"{schedule.window_days} days of no planned visit ({planned})",
                    )
                )
                continue
            before = held.setdefault(name, line)
            if before is not line:
                text = _two_dates(subject, name, line, before.visit_date, before.line)
                problems.append((line.line, text))
            names[subject, day] = name
    return names, schedule.names


def _visits_by_number(
    dates: dict[str, dict[date, ManifestLine]], problems: Problems, doubtful: set[str]
) -> tuple[dict[tuple[str, date], str], tuple[str, ...]]:
    """Visits by number, where no subject has fewer dates than another one."""
    counts = {len(by_date) for subject, by_date in dates.items() if subject not in doubtful}
    if len(counts) > 1:
        few, many = min(counts), max(counts)
        subject = next(
            name for name, by_date in dates.items() if len(by_date) == few and name not in doubtful
        )
        line = min(each.line for each in dates[subject].values())
        problems.append(
            (
                line,
                f"subject {subject} has {few} dates and others have {many}; which visit is missing "
                "can't be told from dates: give --visits DAYS and --window, or a column visit",
            )
        )
        return {}, ()
    names = {
        (subject, day): f"visit {number}"
        for subject, by_date in dates.items()
        for number, day in enumerate(sorted(by_date), start=1)
    }
    return names, tuple(f"visit {number}" for number in range(1, max(counts, default=0) + 1))


def _missing_visits(
    lines: Sequence[ManifestLine], names: dict[tuple[str, date], str], order: Sequence[str]
) -> tuple[MissingVisit, ...]:
    """Every subject is expected with every view of the study at every visit."""
    there = {
        (each.subject, each.view, names.get((each.subject, each.visit_date))) for each in lines
    }
    views = sorted({each.view for each in lines})
    return tuple(
        MissingVisit(subject, view, visit)
        for subject in sorted({each.subject for each in lines})
        for view in views
        for visit in order
        if (subject, view, visit) not in there
    )


def _missing_words(missing: Sequence[MissingVisit], first_line: dict[str, int]) -> Problems:
    """Missing visits as mistakes, one for each subject and visit."""
    views: dict[tuple[str, str], list[str]] = defaultdict(list)
    for each in missing:
        views[each.subject, each.visit].append(each.view)
    return [
        (
            first_line[subject],
            f"subject {subject} has no photograph at {visit} ({', '.join(names)}); "
            "--allow-missing-visits takes this as it is",
        )
        for (subject, visit), names in views.items()
    ]

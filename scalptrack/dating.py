"""Which day a photograph belongs to: what its name and its file say, never a guess."""

from __future__ import annotations

from datetime import date, timedelta

from scalptrack.filenames import PathReading
from scalptrack.records import CaptureInfo, Reason
from scalptrack.translation import tr
from scalptrack.wording import either

# The first photographs with an EXIF date were taken in 1995: an earlier one is an unset clock.
_FIRST_EXIF_YEAR = 1995


def settle_date(
    name: str, reading: PathReading, capture: CaptureInfo, today: date
) -> date | Reason:
    """Visit date that name and camera agree on, or why there is none.

    Parameters
    ----------
    name : str
        Of the photograph, for the reason.
    reading : PathReading
        What its path says; it comes first.
    capture : CaptureInfo
        What the file says; it is asked where the path is silent or can be read in two ways.
    today : date
        Later dates are impossible, but for one day of time zones.
    """
    taken = capture.taken_at.date() if capture.taken_at else None
    if taken is not None and taken.year < _FIRST_EXIF_YEAR:
        taken = None
    if len(reading.dates) > 1 and taken not in reading.dates:
        readings = either([day.isoformat() for day in reading.dates])
        return Reason(
            "ambiguous_date",
            tr(
                "{name}: {date_text!r} may mean {readings}, and the camera "
                "wrote no date that decides. Name the photograph YYYY-MM-DD, "
                "for instance {date}.",
                name=name,
                date_text=reading.date_text,
                readings=readings,
                date=reading.dates[0].isoformat(),
            ),
        )
    if reading.has_date and not reading.dates:
        return Reason(
            "impossible_date",
            tr(
                "{name}: {date_text!r} is not a date of the calendar. Rename "
                "the photograph as YYYY-MM-DD.",
                name=name,
                date_text=reading.date_text,
            ),
        )
    day = reading.dates[0] if len(reading.dates) == 1 else taken
    if day is None and capture.date_doubt:
        return Reason(
            "ambiguous_date",
            tr(
                "{name}: {date_doubt}. Name the photograph by the day on which "
                "it was taken, for instance {view}/2024-03-12.jpg, or list it "
                "in a manifest.",
                name=name,
                date_doubt=capture.date_doubt,
                view=reading.view,
            ),
        )
    if day is None:
        return Reason(
            "no_date",
            tr(
                "{name}: neither the name nor the camera tells the date. Name "
                "it YYYY-MM-DD, for instance {view}/2024-03-12.jpg, or list it "
                "in a manifest.",
                name=name,
                view=reading.view,
            ),
        )
    if day > today + timedelta(days=1):
        origin = tr("name") if reading.dates else tr("camera")
        return Reason(
            "impossible_date",
            tr(
                "{name}: {day} (from its {origin}) lies in the future; this "
                "computer's date is {today}. Correct the one that is wrong.",
                name=name,
                day=day.isoformat(),
                origin=origin,
                today=today.isoformat(),
            ),
        )
    return day

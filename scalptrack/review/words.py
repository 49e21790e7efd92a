"""Words of the review page's own scripts, in the language of the page."""

from __future__ import annotations

from scalptrack.review.decisions import MAX_VERTICES
from scalptrack.review.reviewed import TO_DO
from scalptrack.translation import marked, tr, trc, trn
from scalptrack.wording import SHORT_MONTHS, STATUS_NAMES, VERDICT_NAMES

LOOK_NAMES = {
    "refused": marked("refused"),
    "rejected": marked("rejected"),
    "tier_b": marked("tier B"),
    "not_compared": marked("not compared"),
    "wide_interval": marked("wide interval"),
    "second_opinion_differs": marked("second opinion differs"),
    "flagged": marked("flagged"),
}
"""Why a photograph needs a look; English, to be translated where it is used."""

PICTURE_NAMES = {
    "overlay": marked("Overlay"),
    "compare": marked("Beside the reference"),
    "gain-loss": marked("Gain and loss"),
    "photo": marked("Photograph"),
}
"""Kinds of pictures, in the order of their buttons; English, to be translated where it is used."""


def page_names() -> dict[str, dict[str, str]]:
    """What the scripts call codes, by the kind of code; codes themselves are never translated."""
    statuses = STATUS_NAMES | {TO_DO: marked("to do")}
    tables = {
        "looks": LOOK_NAMES,
        "pictures": PICTURE_NAMES,
        "statuses": statuses,
        "verdicts": VERDICT_NAMES,
    }
    names = {
        kind: {code: tr(name) for code, name in table.items()} for kind, table in tables.items()
    }
    # How a count changes its word differs between languages: each count is written out.
    counts = range(MAX_VERTICES + 1)
    names["corners"] = {
        str(count): trn("{count} corner", "{count} corners", count) for count in counts
    }
    return names


def page_words() -> dict[str, str]:
    """Words by the names that the scripts know them by; ``{name}`` is filled in by the script."""
    return _numbers() | _overview() | _log() | _photograph() | _deciding() | _events() | _editor()


def _numbers() -> dict[str, str]:
    return {
        "months": " ".join(tr(each) for each in SHORT_MONTHS),
        "date": tr("{day} {month} {year}"),
        "no_date": tr("no date"),
        "moment": tr("{day}, {time} UTC"),
        "percent": tr("{points} %"),
        "decimal_mark": trc("decimal mark", "."),
        "interval": tr(
            "95 % interval {low} to {high}; {excluded} of the visible scalp is not in the region"
        ),
        "no_coverage": tr("No coverage."),
    }


def _overview() -> dict[str, str]:
    return {
        "review_of": tr("Review of {title}"),
        "not_named": tr("not named"),
        "people_and_views": tr("People and views"),
        "nobody": tr("No photograph has a person and a view."),
        "to_look_at": tr("{count} to look at"),
        "nothing_open": tr("nothing open"),
        "what_needs_a_look": tr("What needs a look"),
        "waiting": tr(
            "{open} of {all} photographs are waiting for a decision. Choose a person and view."
        ),
        "all_decided": tr("All {all} photographs were decided on, or need no decision."),
        "unfiled": tr("Files without a person or view"),
        "all_people": tr("All people and views"),
        "which_photographs": tr("Which photographs"),
        "show_all": tr("All {count}"),
        "show_open": tr("To look at: {count}"),
        "timeline_of": tr("Timeline of {subject}, {view}"),
        "nothing_waits": tr("Nothing here is waiting for a decision."),
        "next": tr("Next to look at: {subject}, {view}"),
        "changes": tr("Changes from the first visit"),
        "visit": tr("Visit"),
        "verdict": tr("Verdict"),
        "in_words": tr("In words"),
        "copied": tr("Command copied."),
        "page_failed": tr("This page can't be shown: {cause}"),
        "no_answer": tr(
            "The program doesn't answer: start `scalptrack review` again. Nothing was saved."
        ),
    }


def _log() -> dict[str, str]:
    return {
        "log": tr("Log of decisions"),
        "log_why": tr("Nothing is ever deleted: taking back adds a line."),
        "when": tr("When"),
        "who": tr("Who"),
        "what": tr("What"),
        "no_decision": tr("No decision yet."),
        "taken_back": tr("taken back"),
        "take_back": tr("Take back"),
        "take_back_line": tr("Take back line {number}"),
        "takes_back": tr("Takes back: {who}, {what}"),
        "nothing_to_take_back": tr("Nothing to take back"),
        "line_undone": tr("line {number} taken back: {changes}"),
        "line_taken_back": tr("Line {number} of the log was taken back."),
        "verdict_removed": tr("verdict removed: {whose}"),
        "reference_removed": tr("reference removed: {whose}"),
        "region_removed": tr("region removed: {whose}"),
        "points_removed": tr("points removed: {whose}"),
        "note_removed": tr("note removed: {whose}"),
        "events_removed": tr("events removed: {whose}"),
        "was_excluded": tr("{whose}: excluded ({reason})"),
        "was_accepted": tr("{whose}: accepted"),
        "was_reference": tr("{whose}: set as reference"),
        "was_region": tr("{whose}: region drawn"),
        "was_points": tr("{whose}: {count} pairs of points set"),
        "was_note": tr("{whose}: note: {note}"),
        "was_events": tr("{whose}: treatments: {events}"),
        "was_no_events": tr("{whose}: treatments: none"),
    }


def _photograph() -> dict[str, str]:
    return {
        "replicate": tr("{day}, photograph {number}"),
        "reference": tr("reference"),
        "no_picture": tr("No picture."),
        "picture_of": tr("{kind} of {title}"),
        "picture_waited_for": tr("The picture is being made…"),
        "picture_failed": tr("This picture can't be shown."),
        "which_picture": tr("Which picture"),
        "excluded_by": tr("Excluded: {reason} ({who}, {at})"),
        "accepted_by": tr("Accepted ({who}, {at})"),
        "accepted_otherwise_by": tr(
            "Accepted as something else than it is now ({who}, {at}): look again."
        ),
        "reference_by": tr("Chosen as the reference ({who}, {at})"),
        "region_by": tr("Region drawn ({who}, {at})"),
        "points_by": tr("{count} pairs of points set ({who}, {at})"),
        "note_by": tr("Note: {note} ({who}, {at})"),
        "nothing_to_decide": tr("A copy or an unreadable file: nothing to decide."),
    }


def _deciding() -> dict[str, str]:
    return {
        "accept": tr("Accept"),
        "accepted": tr("Accepted."),
        "accepted_without_number": tr("Accepted: it stays without a number."),
        "accept_no_more": tr("Not accepted after all"),
        "include_again": tr("Include again"),
        "verdict_back": tr("The decision was taken back."),
        "exclude": tr("Exclude…"),
        "why_excluded": tr("Why is it excluded?"),
        "exclude_it": tr("Exclude this photograph"),
        "excluded": tr("Excluded: it takes no part from the next run on."),
        "use_as_reference": tr("Use as reference"),
        "reference_kept": tr("The others will be aligned with this photograph."),
        "automatic_reference": tr("Automatic reference"),
        "reference_back": tr("The program chooses the reference again."),
        "draw_region": tr("Draw region…"),
        "set_points": tr("Set points…"),
        "add_note": tr("Note…"),
        "note": tr("Note"),
        "keep_note": tr("Keep note"),
        "note_kept": tr("Note kept."),
        "cancel": tr("Cancel"),
    }


def _events() -> dict[str, str]:
    return {
        "events_of": tr("Treatments and events of {subject}"),
        "event": tr("{day}: {label}"),
        "no_events": tr("None here. Those of events.csv are shown in the chart as well."),
        "date_label": tr("Date"),
        "add": tr("Add"),
        "event_added": tr("Event added."),
        "remove": tr("Remove"),
        "remove_event": tr("Remove {label}"),
        "event_removed": tr("Event removed."),
    }


def _editor() -> dict[str, str]:
    words = {
        "save": tr("Save"),
        "delete_point": tr("Delete chosen point"),
        "start_over": tr("Start over"),
        "another_area": tr("Another area"),
        "escape_again": tr("Press Escape again to leave without saving."),
        "zoom_in": tr("Zoom in: {photo}"),
        "zoom_out": tr("Zoom out: {photo}"),
        "pane_keys": tr(
            "{photo}. Arrow keys move a cross, Enter sets a point there. Tab goes to the points: "
            "arrow keys move one, Delete removes it."
        ),
        "spot_at": tr("{spot}, at {x}, {y}"),
    }
    return words | _region_editor() | _points_editor()


def _region_editor() -> dict[str, str]:
    return {
        "region_on": tr("Region on {title}"),
        "region_help": tr(
            "Click or tap around the scalp to measure. Drag a corner to move it; click a side to "
            "put a corner into it. The wheel or + zooms; drag the picture to move it."
        ),
        "reference_title": tr("Reference"),
        "region_kept": tr("Region kept: the next run measures in it."),
        "automatic_region": tr("Use the automatic region"),
        "region_back": tr("The program finds the region again."),
        "corner": tr("Corner {number}"),
        "corner_of_area": tr("Corner {number} of area {area}"),
        "no_corner": tr("No corner yet."),
        "region_with": tr("Region with {corners}."),
        "too_few_corners": tr("{corners}: each area needs at least 3."),
    }


def _points_editor() -> dict[str, str]:
    return {
        "points_on": tr("Points on {title}"),
        "points_help": tr(
            "Mark the same spot on both photographs, at least four times, spread over the scalp: "
            "moles, scars, the whorl, corners of the hairline. The wheel or + zooms; drag a "
            "picture to move it."
        ),
        "reference_pane": tr("Reference, {title}"),
        "moving_pane": tr("This photograph, {title}"),
        "points_kept": tr(
            "Points kept: the next run aligns by them (tier B, wider interval), or says why it "
            "can't."
        ),
        "remove_points": tr("Remove all points"),
        "points_back": tr("Points removed."),
        "point": tr("Point {number}"),
        "pairs": tr("{count} of at least 4 pairs."),
        "missing_on_other": tr("Point {number} is still missing on the other photograph."),
        "missing_on_reference": tr("Point {number} is still missing on the reference."),
    }

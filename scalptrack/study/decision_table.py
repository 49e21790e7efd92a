"""The decisions of a study as a tidy table: one row for everything that was decided, ever."""

from __future__ import annotations

import json

from scalptrack.review.decisions import Change
from scalptrack.review.log import Entry
from scalptrack.study.decision_states import DecisionState, decision_states
from scalptrack.study.design import StudyPhotograph
from scalptrack.study.tidy import Field, Row, StudyResults, TidyTable

DECISION_FIELDS = (
    Field("line", "integer", "number of the line; what was decided together has one line"),
    Field("at", "text", "when, UTC"),
    Field("who", "text", "the reviewer, as he or she gave the name"),
    Field("action", "text", "decide, or undo"),
    Field("undoes", "integer", "of an undo: the line that it takes back"),
    Field("what", "text", "verdict, reference, region, points, note, or events (of a subject)"),
    Field("value", "text", "what was decided, as JSON; empty where it was taken back"),
    Field("subject", "text", "the subject; empty where the study has no such photograph"),
    Field("view", "text", "the view of the photograph"),
    Field("visit", "text", "the planned visit of the photograph"),
    Field("photo", "text", "path of the photograph as in the manifest, or its URL"),
    Field("sha256", "text", "content of the photograph"),
    Field("holds", "yes/no", "no later line decided otherwise"),
    Field(
        "state",
        "text",
        "of one that holds: used (in the results), waiting (for the next run), unused, no effect "
        "(it changes no number), not in study",
    ),
    Field("reason", "text", "why it is not in the results"),
)


def decision_table(results: StudyResults) -> TidyTable:
    """One row for each change of each line."""
    states = decision_states(results.photographs, results.log, results.used)
    photographs = {each.sha256: each for each in results.photographs}
    rows = []
    for entry in results.log.entries:
        for change in entry.changes:
            state = states.get(change.target)
            held = state if state is not None and state.line == entry.number else None
            rows.append(_row(entry, change, held, photographs.get(change.target[1])))
    return TidyTable("decisions", "one row for each decision", DECISION_FIELDS, tuple(rows))


def _row(
    entry: Entry, change: Change, state: DecisionState | None, photograph: StudyPhotograph | None
) -> Row:
    kind, name, what = change.target
    row: Row = {
        "line": entry.number,
        "at": entry.at,
        "who": entry.who,
        "action": entry.action,
        "undoes": entry.undoes,
        "what": what,
        "value": "" if change.after is None else _json(change.after),
        "subject": name if kind == "subject" else "",
        "sha256": name if kind == "photo" else "",
        "holds": state is not None,
        "state": state.state.value if state else "",
        "reason": state.reason if state else "",
    }
    if photograph is None:
        return row
    return row | {
        "subject": photograph.subject,
        "view": photograph.view,
        "visit": photograph.visit,
        "photo": photograph.name,
    }


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)

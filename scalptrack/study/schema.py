"""Tables of a study's database; `scalptrack.study.migrations` makes and changes them."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    Date,
    ForeignKey,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData()

study = Table(
    "study",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("photo_root", String, nullable=False),
    Column("manifest", String, nullable=False),
    Column("manifest_sha256", String, nullable=False),
    Column("visits", JSON, nullable=False),
    Column("arms", JSON, nullable=False),
    Column("views", JSON, nullable=False),
    Column("covariates", JSON, nullable=False),
    Column("settings", JSON, nullable=False),
)

photographs = Table(
    "photographs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("sha256", String, nullable=False, unique=True),
    Column("subject", String, nullable=False),
    Column("view", String, nullable=False),
    Column("visit", String, nullable=False),
    Column("visit_date", Date, nullable=False),
    Column("replicate", Integer, nullable=False),
    Column("arm", String, nullable=False),
    Column("site", String, nullable=False),
    Column("covariates", JSON, nullable=False),
    Column("line", Integer, nullable=False),
    UniqueConstraint("subject", "view", "visit_date", "replicate", name="one_place"),
)

missing_visits = Table(
    "missing_visits",
    metadata,
    Column("subject", String, nullable=False),
    Column("view", String, nullable=False),
    Column("visit", String, nullable=False),
    PrimaryKeyConstraint("subject", "view", "visit"),
)

analyses = Table(
    "analyses",
    metadata,
    Column("photograph_id", Integer, ForeignKey("photographs.id"), primary_key=True),
    Column("fingerprint", String, nullable=False),
    Column("reason_code", String, nullable=False),
    Column("reason", String, nullable=False),
)
"""What a photograph said on its own; an empty code means that nothing was wrong with it."""

series = Table(
    "series",
    metadata,
    Column("subject", String, nullable=False),
    Column("view", String, nullable=False),
    Column("fingerprint", String, nullable=False),
    Column("decisions", JSON, nullable=False, server_default="[]"),
    PrimaryKeyConstraint("subject", "view"),
)
"""Subject and view whose outcomes are complete, what decided them, and which of the user's
decisions they were made with."""

outcomes = Table(
    "outcomes",
    metadata,
    Column("photograph_id", Integer, ForeignKey("photographs.id"), primary_key=True),
    Column("status", String, nullable=False),
    Column("record", JSON, nullable=False),
)

packs = Table(
    "packs",
    metadata,
    Column("pack", String, primary_key=True),
    Column("view", String, nullable=False),
    Column("visit", String, nullable=False),
    Column("commitment", String, nullable=False),
)
"""Blinded packs; the key itself lies in a file beside the database."""

decisions = Table(
    "decisions",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", String, nullable=False),
    Column("who", String, nullable=False),
    Column("action", String, nullable=False),
    Column("undoes", Integer),
    Column("previous", String, nullable=False),
    Column("sha256", String, nullable=False),
)
"""Lines of the user's decisions, as in the file of `review`; triggers forbid changes."""

decision_changes = Table(
    "decision_changes",
    metadata,
    Column("number", Integer, ForeignKey("decisions.number"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("photo", String),
    Column("subject", String),
    Column("what", String, nullable=False),
    Column("before", JSON, nullable=False),
    Column("after", JSON, nullable=False),
)
"""What each line changed: of a photograph (by the SHA-256 of its content) or of a subject. A JSON
null: nothing decided."""

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", String, nullable=False),
    Column("who", String, nullable=False),
    Column("action", String, nullable=False),
    Column("details", String, nullable=False),
    Column("previous", String, nullable=False),
    Column("sha256", String, nullable=False),
)
"""Who decided what and when; triggers forbid changes, and each line holds the hash of the last."""

"""The first tables of a study, and the triggers that keep its log as it was written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _text(name: str, **options: bool) -> sa.Column[str]:
    return sa.Column(name, sa.String, nullable=False, **options)


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON, nullable=False)


def _photograph_id() -> sa.Column[int]:
    return sa.Column("photograph_id", sa.Integer, sa.ForeignKey("photographs.id"), primary_key=True)


def upgrade() -> None:
    """Make the tables."""
    _catalogue()
    _results()
    op.create_table(
        "packs",
        sa.Column("pack", sa.String, primary_key=True),
        _text("view"),
        _text("visit"),
        _text("commitment"),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        *(_text(name) for name in ("at", "who", "action", "details", "previous", "sha256")),
    )
    _append_only()


def _append_only() -> None:
    """The log refuses every change, in the dialect of the database."""
    words = "the log of a study is append-only"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{words}'; END $$"
        )
        for event in ("UPDATE", "DELETE", "TRUNCATE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{event.lower()} BEFORE {event} ON audit "
                "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
            )
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_no_{event.lower()} BEFORE {event} ON audit "
            f"BEGIN SELECT RAISE(ABORT, '{words}'); END"
        )


def _catalogue() -> None:
    op.create_table(
        "study",
        sa.Column("id", sa.Integer, primary_key=True),
        *(_text(name) for name in ("photo_root", "manifest", "manifest_sha256")),
        *(_json(name) for name in ("visits", "arms", "views", "covariates", "settings")),
    )
    op.create_table(
        "photographs",
        sa.Column("id", sa.Integer, primary_key=True),
        _text("name", unique=True),
        _text("sha256", unique=True),
        _text("subject"),
        _text("view"),
        _text("visit"),
        sa.Column("visit_date", sa.Date, nullable=False),
        sa.Column("replicate", sa.Integer, nullable=False),
        _text("arm"),
        _text("site"),
        _json("covariates"),
        sa.Column("line", sa.Integer, nullable=False),
        sa.UniqueConstraint("subject", "view", "visit_date", "replicate", name="one_place"),
    )
    op.create_table(
        "missing_visits",
        _text("subject"),
        _text("view"),
        _text("visit"),
        sa.PrimaryKeyConstraint("subject", "view", "visit"),
    )


def _results() -> None:
    op.create_table(
        "analyses", _photograph_id(), _text("fingerprint"), _text("reason_code"), _text("reason")
    )
    op.create_table(
        "series",
        _text("subject"),
        _text("view"),
        _text("fingerprint"),
        sa.PrimaryKeyConstraint("subject", "view"),
    )
    op.create_table("outcomes", _photograph_id(), _text("status"), _json("record"))

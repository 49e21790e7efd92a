"""The user's decisions, and which of them the results of a subject and view rest on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = ("decisions", "decision_changes")


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String, nullable=nullable)


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON, nullable=False)


def upgrade() -> None:
    """Make the tables; results of before rest on no decision."""
    op.create_table(
        "decisions",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        *(_text(name) for name in ("at", "who", "action")),
        sa.Column("undoes", sa.Integer),
        *(_text(name) for name in ("previous", "sha256")),
    )
    op.create_table(
        "decision_changes",
        sa.Column("number", sa.Integer, sa.ForeignKey("decisions.number"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        *(_text(name, nullable=True) for name in ("photo", "subject")),
        _text("what"),
        *(_json(name) for name in ("before", "after")),
    )
    op.add_column("series", sa.Column("decisions", sa.JSON, nullable=False, server_default="[]"))
    _append_only()


def _append_only() -> None:
    """Decisions refuse every change, in the dialect of the database."""
    words = "the decisions of a study are append-only"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION decisions_are_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{words}'; END $$"
        )
    for table in TABLES:
        _guard(table, words)


def _guard(table: str, words: str) -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    for event in ("UPDATE", "DELETE", "TRUNCATE") if postgresql else ("UPDATE", "DELETE"):
        trigger = f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} "
        op.execute(
            trigger + "FOR EACH STATEMENT EXECUTE FUNCTION decisions_are_append_only()"
            if postgresql
            else trigger + f"BEGIN SELECT RAISE(ABORT, '{words}'); END"
        )

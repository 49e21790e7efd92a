"""Run by Alembic: applies migrations on the connection that `scalptrack.study.store` hands over."""

from __future__ import annotations

from alembic import context

from scalptrack.study.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()

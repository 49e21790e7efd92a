"""Alembic's migrations of a study's database."""

"""The archive's catalogue in SQL: SQLite by default, PostgreSQL by URL. SQL is written nowhere else."""

from archive.catalogue.catalogue import LABORATORY, Catalogue, Writing

__all__ = ["LABORATORY", "Catalogue", "Writing"]

"""Commands that bring inspections of others and lists of objects in: vi import, vi queue."""

import typer


def register(app: typer.Typer) -> None:
    """Add this file's commands."""

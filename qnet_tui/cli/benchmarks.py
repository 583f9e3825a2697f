"""qnet bench: what qnet does beside what users have today, in one run."""

import typer


def register(app: typer.Typer) -> None:
    """Add this file's commands."""

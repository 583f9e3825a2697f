"""qnet spec: any spectrum file in the terminal, without a workspace."""

import typer


def register(app: typer.Typer) -> None:
    """Add this file's commands."""

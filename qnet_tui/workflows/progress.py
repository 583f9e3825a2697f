"""How a workflow tells its face how far it is, without knowing which face that is."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total); ``total`` 0 means that the size is not known."""


def silent(stage: str, done: int, total: int) -> None:
    """Tell nobody."""

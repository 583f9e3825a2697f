"""What the keys for class, quality and issues do, for one who votes and for one who settles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, Self, TypeVar

from qnet_tui.inspection.answer import SpecType


class Answering(Protocol):
    """A state with an answer: of one who votes, or of one who settles."""

    def with_class(self, spectype: SpecType) -> Self:
        """Set the class."""

    def with_quality(self, quality: int) -> Self:
        """Set the quality."""

    def with_issue_toggled(self, letter: str) -> Self:
        """Set or clear an issue."""


A = TypeVar("A", bound=Answering)


def answer_steps(of: type[A]) -> dict[str, Callable[[A], A]]:  # noqa: ARG001
    """Return what the keys for class, quality and issues do to an answer of that kind."""
    return {
        "class_star": lambda state: state.with_class("STAR"),
        "class_galaxy": lambda state: state.with_class("GALAXY"),
        "class_quasar": lambda state: state.with_class("QSO"),
        "quality_0": lambda state: state.with_quality(0),
        "quality_1": lambda state: state.with_quality(1),
        "quality_2": lambda state: state.with_quality(2),
        "quality_3": lambda state: state.with_quality(3),
        "quality_4": lambda state: state.with_quality(4),
        "issue_redshift": lambda state: state.with_issue_toggled("R"),
        "issue_class": lambda state: state.with_issue_toggled("C"),
        "issue_spectrum": lambda state: state.with_issue_toggled("S"),
    }

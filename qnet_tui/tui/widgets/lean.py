"""Styles that say no more than they must: each colour that is the terminal's own costs bytes on every cell run."""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color
from rich.style import Style


@lru_cache(256)
def lean(style: Style) -> Style:
    """Return ``style`` without colours that are the terminal's default; never None, which NO_COLOR cannot take."""
    return Style(
        color=_own(style.color),
        bgcolor=_own(style.bgcolor),
        bold=style.bold or None,
        dim=style.dim or None,
        italic=style.italic or None,
        underline=style.underline or None,
        reverse=style.reverse or None,
    )


def _own(color: Color | None) -> Color | None:
    return None if color is None or color.is_default else color

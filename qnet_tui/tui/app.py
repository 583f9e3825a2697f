"""Opens the screens on a terminal that can show them. Nothing here imports Textual before the terminal is checked."""

from __future__ import annotations

import locale
import os
import sys
from pathlib import Path

from qnet_tui.errors import BadInput
from qnet_tui.plotting.canvas import Charset, charset_named
from qnet_tui.workflows.label import LabelOptions, LabelSession

__all__ = ["LabelOptions", "run_label"]

# Read by Textual when it is imported: no animation anywhere, and no more frames than a far terminal can use.
_TEXTUAL_ENVIRONMENT = {"TEXTUAL_ANIMATIONS": "none", "TEXTUAL_SMOOTH_SCROLL": "0", "TEXTUAL_FPS": "30"}


def run_label(root: Path, options: LabelOptions) -> int:
    """Open the label screen on the workspace at ``root`` and return the exit code.

    BadInput when the terminal cannot show it, when there is nothing to label or nobody to label it; storage's own
    errors when the workspace cannot be read.
    """
    check_terminal()
    charset = charset_for(options.charset)
    for name, value in _TEXTUAL_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    from qnet_tui.tui.desk import Desk
    from qnet_tui.tui.qnet_app import QnetApp
    from qnet_tui.tui.screens.label import LabelScreen

    desk = Desk(lambda: LabelSession.open(root, options))
    try:
        app = QnetApp(LabelScreen(desk, charset))
        left_with = app.run(mouse=False)
    finally:
        desk.close()
    return left_with if left_with is not None else (app.return_code or 0)


def check_terminal() -> None:
    """Raise BadInput unless standard input, output and error are a terminal that understands more than text."""
    mend = "'qnet label --plain' works anywhere, line by line"
    for stream, name in (
        (sys.stdin, "standard input"),
        (sys.stdout, "standard output"),
        (sys.stderr, "standard error"),
    ):
        if not stream.isatty():
            raise BadInput(f"the label screen needs a terminal, and {name} is none", mend=mend)
    if os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        raise BadInput(f"the label screen needs a terminal, and TERM is {os.environ.get('TERM', '')!r}", mend=mend)


def charset_for(asked: str | None) -> Charset:
    """Return the charset that was asked for; without one, braille where the locale is UTF-8, else ASCII."""
    if asked is not None:
        return charset_named(asked)
    return "braille" if "utf" in locale.getpreferredencoding(False).lower() else "ascii"

"""Opens the screens on a terminal that can show them. Nothing here imports Textual before the terminal is checked."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from qnet_tui.errors import BadInput
from qnet_tui.plotting.canvas import charset_for
from qnet_tui.workflows.label import LabelOptions, LabelSession

if TYPE_CHECKING:
    from qnet_tui.tui.desk import Desk, S
    from qnet_tui.tui.screens.keyed import KeyedScreen
    from qnet_tui.workflows.merge_case import MergeOptions
    from qnet_tui.workflows.spectrum_file import SpecOptions

__all__ = ["LabelOptions", "run_label", "run_merge", "run_spec"]

# Read by Textual when it is imported: no animation anywhere, and no more frames than a far terminal can use.
_TEXTUAL_ENVIRONMENT = {"TEXTUAL_ANIMATIONS": "none", "TEXTUAL_SMOOTH_SCROLL": "0", "TEXTUAL_FPS": "30"}


def run_label(root: Path, options: LabelOptions) -> int:
    """Open the label screen on the workspace at ``root`` and return the exit code.

    BadInput when the terminal cannot show it, when there is nothing to label or nobody to label it; storage's own
    errors when the workspace cannot be read.
    """
    check_terminal()
    charset = charset_for(options.charset)
    _set_environment()
    from qnet_tui.tui.screens.label import LabelScreen
    from qnet_tui.workflows.user_keys import read_user_keys

    user = read_user_keys()
    user.actions("label")  # refused before anything is opened
    fast = user.fast_commit if options.fast_commit is None else options.fast_commit
    return _run(
        lambda: LabelSession.open(root, options),
        lambda desk: LabelScreen(desk, charset, user=user, fast_commit=fast),
    )


def run_merge(root: Path, options: MergeOptions) -> int:
    """Open the merging screen on the workspace at ``root`` and return the exit code.

    BadInput when the terminal cannot show it, or nobody is there to merge; storage's own errors when the workspace
    cannot be read.
    """
    check_terminal("the merging screen", "'qnet merge --list' and '--settle' work anywhere, line by line")
    charset = charset_for(options.charset)
    _set_environment()
    from qnet_tui.tui.screens.merge import MergeScreen
    from qnet_tui.workflows.merge import MergeSession
    from qnet_tui.workflows.user_keys import read_user_keys

    actions = read_user_keys().actions("merge")
    return _run(
        lambda: MergeSession.open(root, options),
        lambda desk: MergeScreen(desk, charset, options.round, actions=actions),
    )


def run_spec(path: Path, options: SpecOptions) -> int:
    """Open the file viewer on the survey file at ``path`` and return the exit code.

    BadInput when the terminal cannot show it, when the file is none of spectra, or has no such row.
    """
    check_terminal("the file viewer", "'qnet spec FILE --plain' works anywhere, as text")
    charset = charset_for(options.charset)
    _set_environment()
    from qnet_tui.tui.screens.spec import SpecScreen
    from qnet_tui.workflows.spectrum_file import SpectrumFile
    from qnet_tui.workflows.user_keys import read_user_keys

    actions = read_user_keys().actions("spec")
    return _run(lambda: SpectrumFile.open(path), lambda desk: SpecScreen(desk, options, charset, actions))


def _set_environment() -> None:
    for name, value in _TEXTUAL_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    # Where a shell exports these, Textual takes them for the size and never sees the terminal change.
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)


def _run(open_session: Callable[[], S], make_screen: Callable[[Desk[S]], KeyedScreen]) -> int:
    """Open a session at a desk and the screen on it, and return the exit code; the session is closed whatever comes."""
    from qnet_tui.tui.desk import Desk
    from qnet_tui.tui.qnet_app import QnetApp

    desk = Desk(open_session)
    try:
        app = QnetApp(make_screen(desk))
        left_with = app.run(mouse=False)
    finally:
        desk.close()
    return left_with if left_with is not None else (app.return_code or 0)


def check_terminal(
    what: str = "the label screen", mend: str = "'qnet label --plain' works anywhere, line by line"
) -> None:
    """Raise BadInput unless standard input, output and error are a terminal that understands more than text."""
    for stream, name in (
        (sys.stdin, "standard input"),
        (sys.stdout, "standard output"),
        (sys.stderr, "standard error"),
    ):
        if not stream.isatty():
            raise BadInput(f"{what} needs a terminal, and {name} is none", mend=mend)
    if os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        raise BadInput(f"{what} needs a terminal, and TERM is {os.environ.get('TERM', '')!r}", mend=mend)

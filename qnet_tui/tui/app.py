"""Opens the screens on a terminal that can show them. Nothing here imports Textual before the terminal is checked."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.plotting.canvas import charset_for
from qnet_tui.workflows.label import LabelOptions, LabelSession

if TYPE_CHECKING:
    from qnet_tui.tui.desk import Desk, S
    from qnet_tui.tui.places import Going
    from qnet_tui.tui.screens.keyed import KeyedScreen
    from qnet_tui.workflows.merge_case import MergeOptions
    from qnet_tui.workflows.review.tab import Asked
    from qnet_tui.workflows.spectrum_file import SpecOptions

__all__ = ["LabelOptions", "run_home", "run_label", "run_merge", "run_review", "run_spec", "run_watch"]

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


def run_review(
    root: Path, asked: Asked, charset_name: str | None = None, *, first: str = "completeness", back: bool = False
) -> int:
    """Open the review screen on the workspace at ``root``, at the tab ``first``, and return the exit code.

    With ``back`` there is a home screen to go back to, and the result of going there is
    :data:`qnet_tui.tui.places.BACK`. BadInput when the terminal cannot show it; storage's own errors when the
    workspace cannot be read.
    """
    check_terminal("the review screen", "'qnet review TABLE' prints a table anywhere, 'qnet review' --help names them")
    charset = charset_for(charset_name)
    _set_environment()
    from qnet_tui.tui.screens.review import ReviewScreen
    from qnet_tui.workflows.review.figures import ReviewFigures
    from qnet_tui.workflows.user_keys import read_user_keys

    actions = read_user_keys().actions("review")
    return _run(
        lambda: ReviewFigures(root),
        lambda desk: ReviewScreen(desk, charset, first=first, asked=asked, actions=actions, back=back),
    )


def run_watch(root: Path, run: str | None = None, charset_name: str | None = None, *, back: bool = False) -> int:
    """Open the watch screen of the workspace at ``root`` and return the exit code, 100 for "back to home".

    ``run`` None is the one at work, else the newest; ``back``: there is a home screen to go back to. BadInput when the
    terminal cannot show it, or no run was ever begun; storage's own errors for a run that is none.
    """
    check_terminal("the watch screen", "'qnet runs watch --plain' works anywhere, line by line")
    charset = charset_for(charset_name)
    _set_environment()
    from qnet_tui.tui.screens.watch import WatchScreen
    from qnet_tui.workflows.run_watch import RunWatcher
    from qnet_tui.workflows.user_keys import read_user_keys

    actions = read_user_keys().actions("watch")
    return _run(
        lambda: RunWatcher.open(root),
        lambda desk: WatchScreen(
            desk, charset, desk.ask_now(lambda watcher: watcher.run_id(run)), actions, has_home=back
        ),
    )


def run_home(root: Path, charset_name: str | None = None) -> int:
    """Open the home screen of the workspace at ``root`` and every screen that it leads to; return the exit code.

    One screen ends before the next opens, so however long the day is there is never more than one in memory. What
    keeps a screen from opening is said on the home screen. BadInput when the terminal cannot show it; storage's own
    errors when the workspace cannot be read.
    """
    check_terminal("the home screen", "'qnet status' works anywhere, as text")
    charset = charset_for(charset_name)
    _set_environment()
    from qnet_tui.tui.places import BACK
    from qnet_tui.tui.screens.home import HomeScreen
    from qnet_tui.tui.tones import Piece, Tone
    from qnet_tui.workflows.home import HomeReader
    from qnet_tui.workflows.user_keys import read_user_keys
    from storage.errors import StorageError

    actions = read_user_keys().actions("home")
    said: Piece | None = None
    while True:
        opened: list[HomeScreen] = []

        def make(desk: Desk[HomeReader], said: Piece | None = said, opened: list[HomeScreen] = opened) -> HomeScreen:
            opened.append(HomeScreen(desk, charset, actions, said))
            return opened[0]

        code = _run(lambda: HomeReader.open(root), make)
        going = opened[0].going
        if code != BACK or going is None:
            return code
        said = None
        try:
            code = _go(root, going, charset_name)
        except (QnetError, StorageError, OSError) as error:
            said = (" ".join(str(error).split()), Tone.WARN)
            continue
        if going.place in ("review", "watch") and code != BACK:
            return code
        if code not in (0, BACK):
            said = ("the last answer that was begun could not be kept", Tone.WARN)


def _go(root: Path, going: Going, charset: str | None) -> int:
    """Open the screen that a person goes to from the home screen; return how it was left."""
    if going.place == "label":
        return run_label(root, LabelOptions(inspector=going.code or None, charset=charset))
    if going.place == "merge":
        from qnet_tui.workflows.merge_case import MergeOptions

        return run_merge(root, MergeOptions(inspector=going.code or None, charset=charset))
    if going.place == "review":
        from qnet_tui.workflows.review.tab import Asked

        return run_review(root, Asked(), charset, back=True)
    return run_watch(root, going.run or None, charset, back=True)


def _set_environment() -> None:
    for name, value in _TEXTUAL_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    # Where a shell exports these, Textual takes them for the size and never sees the terminal change.
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)


def _run(open_session: Callable[[], S], make_screen: Callable[[Desk[S]], KeyedScreen]) -> int:
    """Open a session at a desk and the screen on it, and return the exit code; the session is closed whatever comes."""
    from qnet_tui.tui.desk import Desk
    from qnet_tui.tui.qnet_app import QnetApp, forget_what_was_drawn

    desk = Desk(open_session)
    try:
        app = QnetApp(make_screen(desk))
        left_with = app.run(mouse=False)
    finally:
        desk.close()
        forget_what_was_drawn()
    if app.asked_to_end:
        # A hang-up or a polite kill ends the program, not one of its screens.
        raise SystemExit(left_with or 0)
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

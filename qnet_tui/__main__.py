"""The ``qnet`` command: joins the two faces, which know nothing of each other.

The command line (``qnet_tui.cli``) asks for a screen through its context object; only this module knows that
Textual draws it, and imports it when a screen is really wanted.
"""

import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qnet_tui.workflows.label import LabelOptions
    from qnet_tui.workflows.merge_case import MergeOptions
    from qnet_tui.workflows.review.tab import Asked
    from qnet_tui.workflows.spectrum_file import SpecOptions


SCREEN_COMMANDS = ("label", "merge", "spec", "")
"""Commands that open screens with spectra; without a command the home screen leads to them."""


class Screens:
    """What the command line may ask of the app."""

    def label(self, root: Path, options: "LabelOptions") -> int:
        """Open the labelling screen on the workspace at ``root``; return the exit code."""
        from qnet_tui.tui.app import run_label

        return run_label(root, options)

    def merge(self, root: Path, options: "MergeOptions") -> int:
        """Open the merging screen on the workspace at ``root``; return the exit code."""
        from qnet_tui.tui.app import run_merge

        return run_merge(root, options)

    def spec(self, path: Path, options: "SpecOptions") -> int:
        """Open the file viewer on the survey file at ``path``; return the exit code."""
        from qnet_tui.tui.app import run_spec

        return run_spec(path, options)

    def review(self, root: Path, asked: "Asked", charset: str | None) -> int:
        """Open the review screen on the workspace at ``root``; return the exit code."""
        from qnet_tui.tui.app import run_review

        return run_review(root, asked, charset)

    def home(self, root: Path) -> int:
        """Open the home screen of the workspace at ``root``; return the exit code."""
        from qnet_tui.tui.app import run_home

        return run_home(root)

    def watch(self, root: Path, run: str | None, charset: str | None) -> int:
        """Open the watch screen of the workspace at ``root``; return the exit code."""
        from qnet_tui.tui.app import run_watch

        return run_watch(root, run, charset)


def shadowed_by() -> Path | None:
    """The file that hides our package ``storage``, if one does: the name is short and others use it too."""
    spec = importlib.util.find_spec("storage")
    ours = Path(__file__).resolve().parent.parent / "storage"
    found = Path(spec.origin).resolve() if spec is not None and spec.origin else None
    return None if found is None or found.parent == ours else found


def one_thread_for_screens(arguments: list[str]) -> None:
    """Give linear algebra one thread when a person is to look at spectra; whoever set the variables has the last word.

    The matrices of a fit are small: threads make it several times slower where others use the processors, and on a
    login node there would be one for each of its cores. It must be said before numpy is imported.
    """
    if next((word for word in arguments if not word.startswith("-")), "") in SCREEN_COMMANDS:
        for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ.setdefault(name, "1")


def main() -> None:
    """Run the command line."""
    one_thread_for_screens(sys.argv[1:])
    other = shadowed_by()
    if other is not None:
        sys.stderr.write(f"qnet: {other} hides qnet's own package storage; start from another folder or remove it\n")
        raise SystemExit(1)
    from qnet_tui.cli.main import run

    run(Screens())


if __name__ == "__main__":
    main()

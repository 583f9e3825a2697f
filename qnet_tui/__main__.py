"""The ``qnet`` command: joins the two faces, which know nothing of each other.

The command line (``qnet_tui.cli``) asks for a screen through its context object; only this module knows that
Textual draws it, and imports it when a screen is really wanted.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qnet_tui.workflows.label import LabelOptions


class Screens:
    """What the command line may ask of the app."""

    def label(self, root: Path, options: "LabelOptions") -> int:
        """Open the labelling screen on the workspace at ``root``; return the exit code."""
        from qnet_tui.tui.app import run_label

        return run_label(root, options)


def main() -> None:
    """Run the command line."""
    from qnet_tui.cli.main import run

    run(Screens())


if __name__ == "__main__":
    main()

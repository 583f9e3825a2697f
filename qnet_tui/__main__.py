"""The ``qnet`` command: joins the two faces, which know nothing of each other.

The command line (``qnet_tui.cli``) asks for a screen through its context object; only this module knows that
Textual draws it, and imports it when a screen is really wanted.
"""

import importlib.util
import sys
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


def shadowed_by() -> Path | None:
    """The file that hides our package ``storage``, if one does: the name is short and others use it too."""
    spec = importlib.util.find_spec("storage")
    ours = Path(__file__).resolve().parent.parent / "storage"
    found = Path(spec.origin).resolve() if spec is not None and spec.origin else None
    return None if found is None or found.parent == ours else found


def main() -> None:
    """Run the command line."""
    other = shadowed_by()
    if other is not None:
        sys.stderr.write(f"qnet: {other} hides qnet's own package storage; start from another folder or remove it\n")
        raise SystemExit(1)
    from qnet_tui.cli.main import run

    run(Screens())


if __name__ == "__main__":
    main()

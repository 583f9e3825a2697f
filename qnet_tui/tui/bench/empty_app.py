"""An application with nothing in it, started with the same modules as another program: ``empty_app MODULES``.

``MODULES`` is a text file of module names; those that can be imported are.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from textual.app import App, ComposeResult
from textual.widgets import Static

READY = "nothing here"


class EmptyApp(App[int]):
    """One line of text."""

    def compose(self) -> ComposeResult:
        """Show that the application is up."""
        yield Static(READY, markup=False)


def main() -> None:
    """Import what the other program imports, then show one line."""
    for name in Path(sys.argv[1]).read_text(encoding="utf-8").split():
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    EmptyApp().run(mouse=False)


if __name__ == "__main__":
    main()

"""The figures of one campaign as a screen asks for them: tab by tab, and the spectrum of a row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import storage.settings as campaign
from qnet_tui.workflows.label_item import blinded
from qnet_tui.workflows.progress import Progress
from qnet_tui.workflows.review.tab import Asked, Tab
from qnet_tui.workflows.review.tabs import open_tab
from qnet_tui.workflows.spectrum_file import RowShown, SpectrumFile
from storage.workspace import Workspace


class ReviewFigures:
    """The workspace at ``root``; it is opened anew for every tab, so that nothing is held while a person looks."""

    def __init__(self, root: Path) -> None:
        """Check that the workspace can be read; storage's own errors when it cannot."""
        self.root = root
        Workspace.open(root).close()

    def tab(self, name: str, asked: Asked, progress: Progress) -> Tab:
        """Return a tab as it is now; errors as :func:`~qnet_tui.workflows.review.tabs.open_tab`."""
        return open_tab(self.root, name, asked, progress)

    def spectrum(self, path: Path, *, settled: bool) -> RowShown:
        """Return a copied spectrum ready to be drawn; BadInput when the file is none.

        Where the campaign is blind to the model and the object is not ``settled`` yet, without the pipeline's answer:
        who looks here may have to label it tomorrow.
        """
        shown = SpectrumFile.open(path).show(0)
        if settled:
            return shown
        with Workspace.open(self.root) as ws:
            blind = bool(campaign.get_setting(ws, "blind_model"))
        return replace(shown, item=blinded(shown.item)) if blind else shown

    def close(self) -> None:
        """Nothing is held open."""

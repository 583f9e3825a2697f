"""One weights file, ready to answer for whole files of spectra."""

import functools
import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.errors import BadInput
from qnet_tui.workflows.score_settings import ScoreSettings

if TYPE_CHECKING:
    from qnet_tui.quasarnet.inference import Predictor
    from qnet_tui.quasarnet.weights import Weights
    from qnet_tui.spectra.grids import Grid


@dataclass(frozen=True, eq=False)
class FileAnswers:
    """What the network says of a file of n rows, NaN where a row could not be scored.

    ``rows`` (n,) ``ROW_DTYPE``; ``c_line``, ``z_line`` (6, n) f4; ``zbest`` (n,) f8; ``dropped`` counts rows without
    a score by reason; ``notes`` say what the file lacks.
    """

    rows: NDArray[Any]
    c_line: NDArray[np.float32]
    z_line: NDArray[np.float32]
    zbest: NDArray[np.float64]
    dropped: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def scored(self) -> NDArray[np.bool_]:
        """Which rows have a score (n,)."""
        return ~np.isnan(self.zbest)

    def is_qso(self, settings: ScoreSettings) -> NDArray[np.bool_]:
        """Which rows are quasars (n,): enough of the six lines above the threshold; no score is no quasar."""
        from qnet_tui.quasarnet.boxes import is_quasar

        return is_quasar(self.c_line, settings.c_threshold, settings.n_lines)


@dataclass(frozen=True, eq=False)
class LineFinder:
    """A weights file with the graph that answers: ``sha256`` is of the whole file."""

    file: Path
    sha256: str
    weights: "Weights"
    grid: "Grid"

    @functools.cached_property
    def predictor(self) -> "Predictor":
        """The graph, made when the first file is scored: whoever only asks what is there waits for no TensorFlow."""
        from qnet_tui.quasarnet.inference import Predictor

        return Predictor(self.weights.settings)

    @property
    def width_factor(self) -> float:
        """The a of the prior width a·(1 + z) on the grid of this network."""
        from qnet_tui.handover.priors import width_factor

        return width_factor(self.grid.wave, self.weights.settings.n_boxes)

    def answer(self, path: Path, *, extrapolate: bool = False) -> FileAnswers:
        """What the network says of every row of the file at ``path``, in its order.

        Errors: BadInput for a file that cannot be read, in one line; a coadd without rows has no answers.
        """
        from qnet_tui.quasarnet.boxes import decode
        from qnet_tui.spectra.read import read_vectors

        try:
            file, made = read_vectors(path, self.grid, quality=False)
        except BadInput:
            if not _has_no_rows(path):
                raise
            return _no_answers()
        n = len(file.rows)
        c_line, z_line = np.full((6, n), np.nan, np.float32), np.full((6, n), np.nan, np.float32)
        zbest = np.full(n, np.nan)
        if len(made.x):
            lines = decode(self.predictor.predict(self.weights, made.x), self.grid, extrapolate=extrapolate)
            c_line[:, made.kept], z_line[:, made.kept] = lines.c_line, lines.z_line
            zbest[made.kept] = lines.zbest
        dropped = Counter(reason for _, reason in made.dropped)
        return FileAnswers(file.rows, c_line, z_line, zbest, dict(sorted(dropped.items())), tuple(file.notes))


def line_finder(path: Path, offsets: str = "as-trained") -> LineFinder:
    """The line finder of a weights file; asked again for an unchanged file, the one that is there.

    Errors: BadInput for a file that is not there or holds no QuasarNET, and for another word than "as-trained" and
    "quasarnp" (algorithm.md 0.1).
    """
    try:
        status = path.stat()
    except OSError as error:
        raise BadInput(f"cannot be read ({error.strerror})", file=path, mend="name a weights file (.h5)") from error
    return _line_finder(path.absolute(), status.st_size, status.st_mtime_ns, offsets)


@functools.lru_cache(maxsize=1)
def _line_finder(path: Path, _size: int, _mtime_ns: int, offsets: str) -> LineFinder:
    from qnet_tui.workflows.weights import load_weights

    weights = load_weights(path, offsets)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return LineFinder(path, digest, weights, weights.grid)


def _has_no_rows(path: Path) -> bool:
    """Whether a file is a coadd whose FIBERMAP has no rows; its images have no pixels, which the reader refuses."""
    from qnet_tui.spectra.open_fits import open_fits

    try:
        with open_fits(path, unpack_all=False) as fits:
            fibermap = fits.find("FIBERMAP")
            return fibermap is not None and fibermap.is_table and fibermap.n_rows == 0
    except BadInput:
        return False


def _no_answers() -> FileAnswers:
    from qnet_tui.spectra.rows import empty_rows

    lines = np.zeros((6, 0), np.float32)
    return FileAnswers(empty_rows(0), lines, lines.copy(), np.zeros(0), notes=("the coadd has no rows",))

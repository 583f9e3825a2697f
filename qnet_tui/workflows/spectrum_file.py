"""``qnet spec FILE``: the spectra of one survey file for people's eyes, without a workspace.

The screen and the text both take their rows from a :class:`SpectrumFile`. Nobody is blind here: the pipeline's
answer (a redrock file beside a DESI file, SPECOBJ inside an SDSS one) and its fits (an rrdetails file) are shown.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.inspection.answer import Refused, checked_z
from qnet_tui.inspection.item import ItemState
from qnet_tui.spectra.arms import SpectraFile
from qnet_tui.spectra.read import read_spectra
from qnet_tui.spectra.rrdetails import PipelineFit, read_fits, rrdetails_sibling
from qnet_tui.spectra.single import Spectrum, extract, load_spectrum
from qnet_tui.spectral_lines.line_list import LINE_CHOICES, LineChoice
from qnet_tui.workflows.label_item import Item, item_of


@dataclass(frozen=True)
class SpecOptions:
    """What ``qnet spec`` was asked.

    ``identity`` (TARGETID, THING_ID or PLATE-MJD-FIBERID) or ``row`` (from 0, as in the file) says where to begin;
    ``z`` the trial redshift there, ``fit`` whether to fit it; ``charset`` None means what the locale can show.
    """

    identity: str | None = None
    row: int | None = None
    z: float | None = None
    fit: bool = False
    lines: LineChoice = "major"
    charset: str | None = None


@dataclass(frozen=True, eq=False)
class RowShown:
    """One row of the file: what is drawn of it (``item``, rank = row) and the ``record`` that the file has of it."""

    row: int
    item: Item
    record: np.void


class SpectrumFile:
    """The rows of one file, read once."""

    def __init__(self, path: Path, rows: NDArray[np.void], survey: str, kind: str, program: str) -> None:
        """Use :meth:`open`."""
        self.path, self.rows, self.survey, self.kind, self.program = path, rows, survey, kind, program
        self.notes: tuple[str, ...] = ()
        self._copy: Spectrum | None = None
        self._read: SpectraFile | None = None
        self._details: Path | None = None

    @classmethod
    def open(cls, path: Path) -> SpectrumFile:
        """Read a DESI coadd or spectra file, an SDSS spec file (gzipped or not), or a spectrum that qnet copied.

        BadInput, in one line, for any other file, one that is absent, empty or damaged, or one without rows;
        QnetError when the system does not let us read it.
        """
        if path.suffix == ".npz":
            one = load_spectrum(path)
            copy = cls(path, np.array([one.row], dtype=one.row.dtype), one.survey, one.kind, "")
            copy._copy = one
            return copy
        read = read_spectra(path, masks=False)
        if not len(read.rows):
            raise BadInput("holds no spectrum", mend="name another file", file=path)
        found = cls(path, read.rows, read.survey, read.kind, read.program)
        found.notes = read.notes
        found._read = read
        found._details = rrdetails_sibling(path)
        return found

    def __len__(self) -> int:
        """Rows of the file."""
        return len(self.rows)

    def close(self) -> None:
        """Nothing is held open."""

    def start(self, options: SpecOptions) -> int:
        """Return the row to begin with: the one asked for, else the first with data.

        BadInput when there is no such row.
        """
        if options.row is not None:
            return self.checked_row(options.row)
        if options.identity is not None:
            return self.find(options.identity)
        with_data = np.flatnonzero((self.rows["arms"] != "") & (self.rows["identity"] != ""))
        return int(with_data[0]) if with_data.size else 0

    def checked_row(self, row: int) -> int:
        """Return ``row`` when the file has it, else raise BadInput."""
        if not 0 <= row < len(self):
            raise BadInput("there is no such row", mend=f"rows are 0 to {len(self) - 1}", file=self.path, row=row)
        return row

    def find(self, identity: str, after: int = -1) -> int:
        """Return the first row of an object behind row ``after``, going round: exposures are found in turn.

        ``identity`` is a TARGETID, a THING_ID with or without T, or PLATE-MJD-FIBERID with or without P and zeros.
        BadInput when the file has no such object.
        """
        wanted = identity.strip().upper()
        matches = np.flatnonzero(self._is(wanted))
        if not matches.size:
            raise BadInput(f"{identity.strip() or 'nothing'!r} is not in this file", file=self.path,
                           mend="name one by TARGETID, THING_ID or PLATE-MJD-FIBERID")  # fmt: skip
        behind = matches[matches > after]
        return int(behind[0] if behind.size else matches[0])

    def same_object(self, row: int) -> list[int]:
        """Return the rows of the object of ``row``: several in a file of exposures."""
        identity = self.rows[row]["identity"]
        return np.flatnonzero(self.rows["identity"] == identity).tolist() if identity else [row]

    def show(self, row: int) -> RowShown:
        """Return row ``row`` ready to be drawn; BadInput when there is no such row."""
        self.checked_row(row)
        if self._read is not None:
            spectrum = extract(self._read, row, self._fits(int(self.rows[row]["targetid"])))
        elif self._copy is not None:
            spectrum = self._copy
        else:
            raise ValueError("use SpectrumFile.open")
        return RowShown(row, item_of(spectrum, blind=False, rank=row, total=len(self)), self.rows[row])

    def _fits(self, targetid: int) -> tuple[PipelineFit, ...]:
        if self._details is None or targetid == 0:
            return ()
        try:
            return read_fits(self._details, targetid)
        except QnetError as error:
            # The spectrum can be looked at without them.
            self.notes = (*self.notes, f"no fits of the pipeline: {error}")
            self._details = None
            return ()

    def _is(self, wanted: str) -> NDArray[np.bool_]:
        rows = self.rows
        plate_mjd_fiber = wanted.removeprefix("P").split("-")
        if len(plate_mjd_fiber) == 3 and all(part.isdigit() for part in plate_mjd_fiber):
            plate, mjd, fiber = (int(part) for part in plate_mjd_fiber)
            same = (rows["plate"] == plate) & (rows["mjd"] == mjd) & (rows["fiberid"] == fiber)
            return np.asarray(same, np.bool_)
        number = wanted.removeprefix("T")
        if not number.isdigit() or len(number) > 18 or int(number) == 0:
            return np.zeros(len(rows), np.bool_)
        same = (rows["thing_id"] == int(number)) if self.survey == "sdss" else np.zeros(len(rows), np.bool_)
        if not wanted.startswith("T"):
            same = same | (rows["targetid"] == int(number))
        return np.asarray(same, np.bool_)


def started(item: Item, z: float | None) -> ItemState:
    """Return the state to look at ``item`` with: at ``z``, else with the pipeline's class and redshift.

    BadInput when no answer can have ``z``.
    """
    state = item.started()
    if z is not None:
        try:
            return state.with_z_typed(repr(checked_z(z)))
        except Refused as why:
            raise BadInput(f"--z: {why}", mend="give another") from None
    # Nothing is judged here, so the template that is drawn may be the one of the pipeline's class.
    with contextlib.suppress(Refused):
        return state.with_pipeline()
    return state


def line_choice(name: str) -> LineChoice:
    """Return the choice of lines of that name; BadInput for another word."""
    for known in LINE_CHOICES:
        if known == name:
            return known
    raise BadInput(f"there is no choice of lines {name!r}", mend=f"choose {', '.join(LINE_CHOICES)}")

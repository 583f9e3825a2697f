"""Read one survey file, whichever of the surveys it is from: its spectra, or only the vectors made of them."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Literal

from qnet_tui.spectra.arms import Arm, SpectraFile
from qnet_tui.spectra.desi import desi_in_blocks, read_desi
from qnet_tui.spectra.fits_file import FitsFile
from qnet_tui.spectra.grids import Grid
from qnet_tui.spectra.open_fits import open_fits
from qnet_tui.spectra.quality import note_arms, note_quality
from qnet_tui.spectra.recognise import recognise_hdus
from qnet_tui.spectra.sdss import read_sdss
from qnet_tui.spectra.vectors import Vectors, VectorsInBlocks

_ROWS_AT_ONCE = 64  # of read_vectors: about 4 MB of spectra, which stay in the processor's cache


def read_spectra(path: Path, *, masks: bool = True, quality: bool = True) -> SpectraFile:
    """Read a DESI coadd or spectra file or an SDSS spec file, plain or gzipped.

    Flux and ivar come cleaned (see ``arms``); a redrock file beside a DESI file gives the rows their
    pipeline answer. ``masks=False`` leaves the flags out (they are for display only), ``quality=False``
    leaves ``frac_masked`` and ``snr`` of the rows NaN. Who wants vectors only calls :func:`read_vectors`.

    BadInput, in one line, when the file is not there, empty, truncated, damaged, of another kind, or
    ill-shaped; QnetError when the system does not let us read it.
    """
    path = Path(path)
    with open_fits(path) as fits:
        if _survey(fits) == "desi":
            file = read_desi(fits, masks=masks)
        else:
            file = read_sdss(fits, masks=masks)
    if quality:
        note_quality(file.rows, file.arms)
    else:
        note_arms(file.rows, file.arms)
    return file


def read_vectors(path: Path, grid: Grid, *, quality: bool = True) -> tuple[SpectraFile, Vectors]:
    """Read a survey file as vectors on a grid: the file without its arms, and the vectors.

    The same rows and vectors as ``make_vectors(read_spectra(path), grid)`` in less than half the time: no more than a
    few rows of spectra are in memory at any moment (a gzipped file is, unpacked). ``quality`` and errors as in
    :func:`read_spectra`.
    """
    path = Path(path)
    with open_fits(path, unpack_all=False) as fits:
        blocks: Iterable[tuple[Arm, ...]]
        if _survey(fits) == "desi":
            file, blocks = desi_in_blocks(fits, _ROWS_AT_ONCE)
        else:
            whole = read_sdss(fits, masks=False)
            file, blocks = replace(whole, arms=()), [whole.arms]
        vectors = VectorsInBlocks(len(file.rows), grid)
        first = 0
        for arms in blocks:
            rows = file.rows[first : first + len(arms[0].flux)]
            if quality:
                note_quality(rows, arms)
            else:
                note_arms(rows, arms)
            vectors.add(arms)
            first += len(rows)
    return file, vectors.result()


def _survey(fits: FitsFile) -> Literal["desi", "sdss"]:
    """Whose file it is; BadInput when it is none of spectra."""
    kind = recognise_hdus(fits.hdus)
    if not kind.survey:
        raise fits.bad(f"is {kind.what}, not spectra", "name a DESI coadd-/spectra- or an SDSS spec- file")
    return kind.survey

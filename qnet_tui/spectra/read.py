"""Read one survey file, whichever of the surveys it is from."""

from pathlib import Path

from qnet_tui.spectra.arms import SpectraFile
from qnet_tui.spectra.desi import read_desi
from qnet_tui.spectra.open_fits import open_fits
from qnet_tui.spectra.quality import note_arms, note_quality
from qnet_tui.spectra.recognise import recognise_hdus
from qnet_tui.spectra.sdss import read_sdss


def read_spectra(path: Path, *, masks: bool = True, quality: bool = True) -> SpectraFile:
    """Read a DESI coadd or spectra file or an SDSS spec file, plain or gzipped.

    Flux and ivar come cleaned (see ``arms``); a redrock file beside a DESI file gives the rows their
    pipeline answer. ``masks=False`` leaves the flags out (they are for display only), ``quality=False``
    leaves ``frac_masked`` and ``snr`` of the rows NaN: together they halve the time, and vectors need
    neither.

    BadInput, in one line, when the file is not there, empty, truncated, damaged, of another kind, or
    ill-shaped; QnetError when the system does not let us read it.
    """
    path = Path(path)
    with open_fits(path) as fits:
        kind = recognise_hdus(fits.hdus)
        if kind.survey == "desi":
            file = read_desi(fits, masks=masks)
        elif kind.survey == "sdss":
            file = read_sdss(fits, masks=masks)
        else:
            raise fits.bad(f"is {kind.what}, not spectra", "name a DESI coadd-/spectra- or an SDSS spec- file")
    note_arms(file.rows, file.arms)
    if quality:
        note_quality(file.rows, file.arms)
    return file

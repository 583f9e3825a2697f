"""A small network and small pairs of coadd and redrock file, for the tests of scoring."""

from pathlib import Path
from typing import Any

import fitsio
import numpy as np
from numpy.typing import NDArray

from qnet_tui.quasarnet.weights_file import write_weights
from tests.quasarnet.small import SMALL, random_weights
from tests.spectra.written_files import desi_images, table, write_desi


def write_network(path: Path, seed: int = 1) -> Path:
    """A weights file with random weights: what it says is nonsense, and always the same."""
    write_weights(path, random_weights(SMALL, seed), {})
    return path


def write_pair(
    folder: Path,
    name: str = "4-80613-thru20210324",
    targetids: tuple[int, ...] = (11, 12, -13, 14),
    redrock: tuple[int, ...] | None = None,
    images: dict[str, NDArray[Any]] | None = None,
    ending: str = ".fits",
) -> tuple[Path, Path]:
    """coadd-NAME and redrock-NAME; row 2 is sky, and redrock has its rows in the order of ``redrock``."""
    folder.mkdir(parents=True, exist_ok=True)
    n = len(targetids)
    fibermap = {
        "TARGETID": np.array(targetids, np.int64),
        "TARGET_RA": np.linspace(10, 20, n),
        "TARGET_DEC": np.linspace(-5, 5, n),
        "OBJTYPE": np.array(["SKY" if t < 0 else "TGT" for t in targetids]),
        "DESI_TARGET": np.arange(n, dtype=np.int64),
    }
    coadd = write_desi(folder / f"coadd-{name}{ending}", fibermap, images or desi_images(n, n_pixels=400, step=4.0))
    order = targetids if redrock is None else redrock
    at = {t: i for i, t in enumerate(targetids)}
    places = {
        "TARGETID": np.array(order, np.int64),
        **{
            column: np.array([fibermap[column][at[t]] if t in at else blank for t in order])
            for column, blank in (("TARGET_RA", 0.0), ("TARGET_DEC", 0.0), ("OBJTYPE", "TGT"), ("DESI_TARGET", 0))
        },
    }
    redshifts = {
        "TARGETID": np.array(order, np.int64),
        "Z": np.linspace(0.1, 2.9, len(order)),
        "SPECTYPE": np.array(["QSO", "GALAXY", "STAR", "QSO"])[np.arange(len(order)) % 4],
    }
    path = folder / f"redrock-{name}{ending}"
    with fitsio.FITS(str(path), "rw", clobber=True) as fits:
        fits.write(None)
        fits.write(table(redshifts), extname="REDSHIFTS")
        fits.write(table(places), extname="FIBERMAP")
    return coadd, path


def write_empty_coadd(path: Path) -> Path:
    """A coadd of no rows: tables with NAXIS2 = 0 and images with NAXIS2 = 0, which fitsio does not write."""

    def unit(*cards: str) -> bytes:
        text = "".join(card.ljust(80) for card in (*cards, "END"))
        return text.ljust(-(-len(text) // 2880) * 2880).encode()

    def image(name: str, bitpix: int, *axes: int) -> bytes:
        lengths = [f"NAXIS{i}  = {length:20d}" for i, length in enumerate(axes, start=1)]
        return unit(
            "XTENSION= 'IMAGE   '", f"BITPIX  = {bitpix:20d}", f"NAXIS   = {len(axes):20d}", *lengths,
            "PCOUNT  =                    0", "GCOUNT  =                    1", f"EXTNAME = '{name}'",
        )  # fmt: skip

    wave = (3600 + 0.8 * np.arange(360)).astype(">f8").tobytes()
    parts = [unit("SIMPLE  =                    T", "BITPIX  =                    8", "NAXIS   =                    0")]
    parts.append(
        unit(
            "XTENSION= 'BINTABLE'",
            "BITPIX  =                    8",
            "NAXIS   =                    2",
            "NAXIS1  =                    8",
            "NAXIS2  =                    0",
            "PCOUNT  =                    0",
            "GCOUNT  =                    1",
            "TFIELDS =                    1",
            "TTYPE1  = 'TARGETID'",
            "TFORM1  = 'K       '",
            "EXTNAME = 'FIBERMAP'",
        )
    )
    for letter in "BRZ":
        parts += [image(f"{letter}_WAVELENGTH", -64, 360), wave.ljust(-(-len(wave) // 2880) * 2880, b"\0")]
        parts += [image(f"{letter}_{part}", -32, 360, 0) for part in ("FLUX", "IVAR")]
    path.write_bytes(b"".join(parts))
    return path

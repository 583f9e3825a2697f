"""Writing a petal: coadd-, spectra- and redrock- files in DESI's layout, and the two tables of truth.

A file is written under a temporary name, flushed to disk and renamed, so that nobody ever reads half of one. The
bytes hold no date and no path: the same petal gives the same file.
"""

import csv
import gzip
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from qnet_tui.simulation.native_grid import RESOLUTION_SIGMA, STEP
from qnet_tui.simulation.observation import ArmData
from qnet_tui.simulation.petal import Petal
from qnet_tui.simulation.settings import SimulationSettings
from qnet_tui.simulation.tables import (
    coadd_fibermap,
    exp_fibermap,
    exposure_fibermap,
    redshifts,
    scores,
    template_scores,
)
from qnet_tui.whole_files import whole_file

_FLUX_UNIT = "10**-17 erg/(s cm2 Angstrom)"
_IVAR_UNIT = "10**+34 (s2 cm4 Angstrom2) / erg2"
_DIAGONALS = 11


def file_name(kind: str, tile: int, petal: int, settings: SimulationSettings) -> str:
    """Name of a file of ``kind`` (coadd, spectra, redrock), as DESI's cumulative tile coadds are called."""
    ending = ".gz" if settings.compress else ""
    return f"{kind}-{petal}-{tile}-thru{settings.night}.fits{ending}"


def write_petal(folder: Path, petal: Petal, settings: SimulationSettings) -> list[Path]:
    """Write the files of one petal into ``folder`` (it must exist) and return their paths, the coadd first.

    Raises :class:`QnetError` when the disk refuses.
    """
    header = _header(petal, settings)
    targetid = petal.objects.table["targetid"]

    def coadd(fits: Any) -> None:
        fits.write(None, header=header)
        fits.write(coadd_fibermap(petal), extname="FIBERMAP")
        fits.write(exp_fibermap(petal, settings.night), extname="EXP_FIBERMAP")
        _write_arms(fits, petal.arms, settings.resolution)
        fits.write(scores(targetid, petal.arms, coadd=True), extname="SCORES")

    def spectra(fits: Any) -> None:
        fits.write(None, header=header)
        fits.write(exposure_fibermap(petal, settings.night), extname="FIBERMAP")
        arms = _stacked(petal.exposures)
        repeated = np.tile(targetid, len(petal.exposures))
        fits.write(scores(repeated, arms, coadd=False), extname="SCORES")
        _write_arms(fits, arms, settings.resolution)

    def redrock(fits: Any) -> None:
        fits.write(None, header=header)
        fits.write(redshifts(petal), extname="REDSHIFTS")
        fits.write(coadd_fibermap(petal), extname="FIBERMAP")
        fits.write(exp_fibermap(petal, settings.night), extname="EXP_FIBERMAP")
        fits.write(template_scores(targetid, petal.arms), extname="TSNR2")

    kinds: list[tuple[str, Callable[[Any], None]]] = [("coadd", coadd)]
    if petal.exposures:
        kinds.append(("spectra", spectra))
    if settings.redrock:
        kinds.append(("redrock", redrock))
    written = []
    for kind, fill in kinds:
        path = folder / file_name(kind, petal.tile, petal.petal, settings)
        _write_fits(path, fill, compress=settings.compress)
        written.append(path)
    return written


def _header(petal: Petal, settings: SimulationSettings) -> list[dict[str, Any]]:
    return [
        {"name": "SPGRP", "value": "cumulative", "comment": "grouping of the spectra"},
        {"name": "SPGRPVAL", "value": settings.night, "comment": "last night in the group"},
        {"name": "NIGHT", "value": settings.night, "comment": "night of the observation"},
        {"name": "TILEID", "value": petal.tile, "comment": "tile"},
        {"name": "SPECTRO", "value": petal.petal, "comment": "spectrograph"},
        {"name": "PETAL", "value": petal.petal, "comment": "petal of the focal plane"},
        {"name": "SURVEY", "value": settings.survey, "comment": "survey the tile belongs to"},
        {"name": "PROGRAM", "value": settings.program, "comment": "observing program"},
        {"name": "SIMULATD", "value": True, "comment": "no telescope saw these spectra"},
        {"name": "SIMSEED", "value": settings.seed, "comment": "seed of the simulation"},
    ]


def _write_arms(fits: Any, arms: Sequence[ArmData], resolution: bool) -> None:
    for arm in arms:
        letter = arm.camera.name.upper()
        fits.write(arm.camera.wave, extname=f"{letter}_WAVELENGTH", header={"BUNIT": "Angstrom"})
        fits.write(arm.flux, extname=f"{letter}_FLUX", header={"BUNIT": _FLUX_UNIT})
        fits.write(arm.ivar, extname=f"{letter}_IVAR", header={"BUNIT": _IVAR_UNIT})
        fits.write(arm.mask, extname=f"{letter}_MASK")
        if resolution:
            offset = (np.arange(_DIAGONALS) - _DIAGONALS // 2) * STEP / RESOLUTION_SIGMA
            kernel = np.exp(-0.5 * offset**2)
            kernel = (kernel / kernel.sum()).astype(np.float32)
            bands = np.broadcast_to(kernel[None, :, None], (len(arm.flux), _DIAGONALS, arm.flux.shape[1]))
            fits.write(np.ascontiguousarray(bands), extname=f"{letter}_RESOLUTION")


def _stacked(exposures: list[list[ArmData]]) -> list[ArmData]:
    """The exposures of each arm one below the other."""
    return [
        ArmData(
            arms[0].camera,
            np.concatenate([a.flux for a in arms]),
            np.concatenate([a.ivar for a in arms]),
            np.concatenate([a.mask for a in arms]),
        )
        for arms in zip(*exposures, strict=True)
    ]


def _write_fits(path: Path, fill: Callable[[Any], None], *, compress: bool) -> None:
    """Write a FITS file atomically; ``fill`` is given the open file."""
    import fitsio

    with whole_file(path) as target:
        # cfitsio would pack a name that ends in .gz by itself, with a time stamp.
        plain = target.with_suffix(".fits") if compress else target
        try:
            with fitsio.FITS(str(plain), "rw", clobber=True) as fits:
                fill(fits)
            if compress:
                # No name and no time in the gzip header: the same spectra give the same bytes.
                with (
                    plain.open("rb") as source,
                    target.open("wb") as sink,
                    gzip.GzipFile(filename="", mode="wb", fileobj=sink, compresslevel=6, mtime=0) as stream,
                ):
                    shutil.copyfileobj(source, stream, 1 << 20)
        finally:
            if compress:
                plain.unlink(missing_ok=True)


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file atomically, with line feeds as line ends. Raises :class:`QnetError` when the disk refuses."""
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)

"""``qnet score -o FILE``: what one network says of every spectrum of some files, in one table. Needs no workspace."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from qnet_tui.errors import BadInput
from qnet_tui.workflows.ingest import Named
from qnet_tui.workflows.line_finder import FileAnswers, LineFinder, line_finder
from qnet_tui.workflows.progress import Progress, silent
from qnet_tui.workflows.score_settings import ScoreSettings

_SDSS = ("THING_ID", "PLATE", "MJD", "FIBERID")


@dataclass
class ScoreResult:
    """What ``qnet score`` says."""

    rows: int = 0
    scored: int = 0
    quasars: int = 0
    file: str = ""
    weights: str = ""
    grid: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    words: str = ""
    unscored: dict[str, int] = field(default_factory=dict)
    left: list[Named] = field(default_factory=list)
    failed: list[Named] = field(default_factory=list)
    notes: list[Named] = field(default_factory=list)
    seconds: float = 0.0


def score(
    paths: Sequence[str],
    weights_file: Path,
    target: Path,
    settings: ScoreSettings | None = None,
    *,
    progress: Progress = silent,
) -> ScoreResult:
    """Write one output row per input row, in input order (NaN where a row cannot be scored).

    The grid is the weights file's own. Errors: :class:`BadInput` when nothing can be read; unreadable files are listed
    and the others done.
    """
    from qnet_tui.spectra.discovery import find_files

    began = time.monotonic()
    settings = settings or ScoreSettings()
    finder = line_finder(weights_file, settings.offsets)
    found = find_files(paths)
    result = ScoreResult(file=str(target), weights=str(weights_file), grid=finder.grid.name, settings=settings.facts())
    result.words = settings.words(finder.width_factor)
    result.left = [Named(str(p), why) for p, why in found.left]
    refuse_overwriting(target, [*found.spectra, weights_file])
    refuse_place(target)
    answers: list[tuple[Path, FileAnswers]] = []
    for done, path in enumerate(found.spectra, start=1):
        try:
            said = finder.answer(path, extrapolate=settings.extrapolate)
        except BadInput as error:
            result.failed.append(Named(str(path), str(error)))
            continue
        for reason, n in said.dropped.items():
            result.unscored[reason] = result.unscored.get(reason, 0) + n
        result.notes += [Named(str(path), note) for note in said.notes]
        answers.append((path, said))
        result.rows += len(said.rows)
        result.scored += int(said.scored.sum())
        result.quasars += int(said.is_qso(settings).sum())
        progress("scoring", done, len(found.spectra))
    if not answers:
        why = result.failed[0].reason if result.failed else "no spectra among the given files"
        raise BadInput(why, mend="" if result.failed else "give DESI coadd-/spectra- or SDSS spec- files")
    write_answers(target, answers, finder, settings)
    result.seconds = time.monotonic() - began
    return result


def write_answers(
    target: Path,
    answers: Sequence[tuple[Path, FileAnswers]],
    finder: LineFinder,
    settings: ScoreSettings,
    **more: str,
) -> None:
    """Write the scores FITS of some files, whole or not at all; ``more`` goes into the header."""
    from qnet_tui.handover.scores import score_columns, score_header, write_scores
    from qnet_tui.workflows.versions import versions

    rows = np.concatenate([said.rows for _, said in answers])
    kept = np.flatnonzero(np.concatenate([said.scored for _, said in answers]))
    several = len(answers) > 1
    columns = score_columns(
        targetid=rows["targetid"],
        kept=kept,
        c_line=np.concatenate([said.c_line for _, said in answers], axis=1)[:, kept],
        z_line=np.concatenate([said.z_line for _, said in answers], axis=1)[:, kept],
        zbest=np.concatenate([said.zbest for _, said in answers])[kept],
        is_qso=np.concatenate([said.is_qso(settings) for _, said in answers])[kept],
        sdss={name: rows[name.lower()] for name in _SDSS} if (rows["plate"] > 0).any() else None,
        file_index=np.repeat(np.arange(len(answers), dtype=np.int32), [len(said.rows) for _, said in answers])
        if several
        else None,
        hdu_row=rows["hdu_row"] if several else None,
    )
    known = versions()
    header = score_header(
        weights_hash=finder.sha256,
        grid=finder.grid.name,
        c_threshold=settings.c_threshold,
        n_lines=settings.n_lines,
        offsets=settings.offsets,
        qnet_version=known["qnet"],
        weights_file=finder.file.name,
        versions={
            "NPVER": known["numpy"],
            "TFVER": known["tensorflow"],
            **({"PIPELINE": settings.pipeline} if settings.pipeline else {}),
            **more,
        },
    )
    write_scores(target, columns, header, files=[str(path) for path, _ in answers])


def refuse_overwriting(target: Path, inputs: Sequence[Path]) -> None:
    """BadInput when ``target`` is one of the files that are read."""
    for path in inputs:
        if target.exists() and path.exists() and target.samefile(path):
            raise BadInput("it would overwrite a file it is made from", file=target, mend="choose another -o")


def refuse_place(target: Path) -> None:
    """BadInput when no FITS file can be at ``target``: said before hours of scoring, not after them."""
    if not target.name.lower().endswith((".fits", ".fits.gz")):
        raise BadInput("scores are written as FITS", file=target, mend="name it .fits or .fits.gz")
    if target.is_dir():
        raise BadInput("it is a folder", file=target, mend="name a file in it")
    if not target.parent.is_dir():
        raise BadInput("its folder does not exist", file=target, mend="make it, or choose another -o")

"""``qnet score``: what one network says of every spectrum of some files. Needs no workspace."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from qnet_tui.errors import BadInput
from qnet_tui.workflows.ingest import Named
from qnet_tui.workflows.progress import Progress, silent


@dataclass
class ScoreResult:
    """What ``qnet score`` says."""

    rows: int = 0
    scored: int = 0
    quasars: int = 0
    file: str = ""
    weights: str = ""
    grid: str = ""
    unscored: dict[str, int] = field(default_factory=dict)
    left: list[Named] = field(default_factory=list)
    failed: list[Named] = field(default_factory=list)
    seconds: float = 0.0


def score(
    paths: Sequence[str],
    weights_file: Path,
    target: Path,
    *,
    c_threshold: float = 0.95,
    n_lines: int = 1,
    offsets: str = "as-trained",
    extrapolate: bool = False,
    progress: Progress = silent,
) -> ScoreResult:
    """Write one output row per input row, in input order (NaN where a row cannot be scored).

    The grid is the weights file's own. ``offsets="quasarnp"`` reads the file as QuasarNP does, which leaves the
    offsets of some files unscaled (algorithm.md 0.1). Errors: :class:`BadInput` when nothing can be read;
    unreadable files are listed and the others done.
    """
    from qnet_tui.handover.scores import score_columns, score_header, write_scores
    from qnet_tui.quasarnet.boxes import decode, is_quasar
    from qnet_tui.quasarnet.inference import Predictor
    from qnet_tui.spectra.discovery import find_files
    from qnet_tui.spectra.read import read_vectors
    from qnet_tui.workflows.versions import versions
    from qnet_tui.workflows.weights import load_weights

    began = time.monotonic()
    weights = load_weights(weights_file, offsets)
    grid = weights.grid
    predictor = Predictor(weights.settings)
    found = find_files(paths)
    result = ScoreResult(file=str(target), weights=str(weights_file), grid=grid.name)
    result.left = [Named(str(p), why) for p, why in found.left]
    names: list[str] = []
    parts: list[tuple[Any, ...]] = []
    for done, path in enumerate(found.spectra, start=1):
        try:
            file, made = read_vectors(path, grid, quality=False)
        except BadInput as error:
            result.failed.append(Named(str(path), str(error)))
            continue
        n = len(file.rows)
        c_line, z_line = np.full((6, n), np.nan, np.float32), np.full((6, n), np.nan, np.float32)
        zbest, is_qso = np.full(n, np.nan), np.zeros(n, dtype=bool)
        if len(made.x):
            lines = decode(predictor.predict(weights, made.x), grid, extrapolate=extrapolate)
            c_line[:, made.kept], z_line[:, made.kept] = lines.c_line, lines.z_line
            zbest[made.kept] = lines.zbest
            is_qso[made.kept] = is_quasar(lines.c_line, c_threshold, n_lines)
        for _, reason in made.dropped:
            result.unscored[reason] = result.unscored.get(reason, 0) + 1
        names.append(str(path))
        parts.append((np.full(n, len(names) - 1, np.int32), file.rows, is_qso, zbest, c_line, z_line))
        result.rows += n
        result.scored += len(made.x)
        result.quasars += int(is_qso.sum())
        progress("scoring", done, len(found.spectra))
    if not parts:
        why = result.failed[0].reason if result.failed else "no spectra among the given files"
        raise BadInput(why, mend="" if result.failed else "give DESI coadd-/spectra- or SDSS spec- files")
    rows = np.concatenate([p[1] for p in parts])
    kept = np.flatnonzero(np.concatenate([~np.isnan(p[3]) for p in parts]))
    of_sdss = bool((rows["plate"] > 0).any())
    several = len(names) > 1
    columns = score_columns(
        targetid=rows["targetid"],
        kept=kept,
        c_line=np.concatenate([p[4] for p in parts], axis=1)[:, kept],
        z_line=np.concatenate([p[5] for p in parts], axis=1)[:, kept],
        zbest=np.concatenate([p[3] for p in parts])[kept],
        is_qso=np.concatenate([p[2] for p in parts])[kept],
        sdss={
            "THING_ID": rows["thing_id"],
            "PLATE": rows["plate"],
            "MJD": rows["mjd"],
            "FIBERID": rows["fiberid"],
        }
        if of_sdss
        else None,
        file_index=np.concatenate([p[0] for p in parts]) if several else None,
        hdu_row=rows["hdu_row"] if several else None,
    )
    known = versions()
    header = score_header(
        weights_hash=hashlib.sha256(weights_file.read_bytes()).hexdigest(),
        grid=grid.name,
        c_threshold=c_threshold,
        n_lines=n_lines,
        offsets=offsets,
        qnet_version=known["qnet"],
        weights_file=weights_file.name,
        versions={"NPVER": known["numpy"], "TFVER": known["tensorflow"]},
    )
    write_scores(target, columns, header, files=names)
    result.seconds = time.monotonic() - began
    return result

"""What trained networks and committees say of the held-out objects: kept as files, read alike, compared safely.

Beside a trained network lies ``validation.npz`` with its answers for every held-out object (docs/formats.md). A
committee's answers lie with its round. :class:`HeldOutAnswers` is the one form in which the review reads both: a
network is a committee of one.

Networks may be compared only where they were measured on the same objects with the same truth, which
:func:`validation_hash` tells. The head for broad absorption lines is in none of the arrays, so it can never vote.
"""

from __future__ import annotations

import hashlib
import warnings
import zipfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import storage.spectra as spectra_store
from qnet_tui.errors import QnetError
from qnet_tui.evaluation.thresholds import deciding_confidence
from qnet_tui.workflows.round_files import RoundFiles, write_npz
from storage.workspace import Workspace

if TYPE_CHECKING:
    from qnet_tui.quasarnet.weights import Weights

N_LINES = 6
"""Emission lines that may call a quasar."""

_DTYPES = {
    "object_id": np.int64, "z": np.float64, "is_qso": np.bool_, "c_line": np.float32, "zbest": np.float64,
    "z_line": np.float32, "snr": np.float32, "mag_r": np.float32,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class ValidationAnswers:
    """One network's answers for ``n`` held-out objects, as ``validation.npz`` holds them.

    ``object_id`` i8, ``z`` f8 and ``is_qso`` bool (n,) are the truth; ``c_line`` and ``z_line`` f4 (6, n) the lines,
    ``zbest`` f8 (n,) the redshift of the most confident; ``snr`` and ``mag_r`` f4 (n,) NaN where unknown.
    """

    object_id: NDArray[np.int64]
    z: NDArray[np.float64]
    is_qso: NDArray[np.bool_]
    c_line: NDArray[np.float32]
    zbest: NDArray[np.float64]
    z_line: NDArray[np.float32]
    snr: NDArray[np.float32]
    mag_r: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class HeldOutAnswers:
    """What ``k`` networks, one or a committee, say of ``n`` held-out objects.

    ``confidence`` f4 (n, k): each network calls a quasar where its own exceeds the threshold; ``redshift`` f8 (n, k)
    goes with it. The other arrays are those of :class:`ValidationAnswers`.
    """

    object_id: NDArray[np.int64]
    z: NDArray[np.float64]
    is_qso: NDArray[np.bool_]
    snr: NDArray[np.float32]
    mag_r: NDArray[np.float32]
    confidence: NDArray[np.float32]
    redshift: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.object_id)

    @property
    def hash(self) -> str:
        """Which validation set this is, see :func:`validation_hash`."""
        return validation_hash(self.object_id, self.z, self.is_qso)

    @property
    def decides(self) -> NDArray[np.floating]:
        """The confidence (n,) that decides: more than half of the networks call a quasar exactly where it is above.

        That is the (k // 2 + 1)-th highest of k networks; -inf where too many gave none.
        """
        return deciding_confidence(self.confidence.T, self.confidence.shape[1] // 2 + 1)

    def called(self, c_threshold: float) -> NDArray[np.bool_]:
        """What is called a quasar, bool (n,): by more than half of the networks at confidence > ``c_threshold``."""
        calls: NDArray[np.bool_] = self.decides > c_threshold
        return calls

    def zbest(self, c_threshold: float) -> NDArray[np.float64]:
        """The redshift f8 (n,): the median of those networks that call a quasar; NaN where none does."""
        said = np.where(self.confidence > c_threshold, self.redshift, np.nan)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # Rows that no network calls a quasar.
            return np.asarray(np.nanmedian(said, axis=1), dtype=np.float64)

    def of(self, object_ids: NDArray[np.int64]) -> HeldOutAnswers:
        """The same for some of the objects, all of which must be here, in the order asked for."""
        order = np.argsort(self.object_id, kind="stable")
        rows = order[np.searchsorted(self.object_id[order], object_ids)]
        return HeldOutAnswers(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def validation_hash(object_ids: ArrayLike, z: ArrayLike, is_qso: ArrayLike) -> str:
    """16 hexadecimal digits that are the same for the same objects with the same truth, in whatever order.

    ``object_ids`` int (n,), ``z`` float (n,) NaN where there is none, ``is_qso`` bool (n,).
    """
    objects = np.asarray(object_ids, dtype="<i8")
    order = np.argsort(objects, kind="stable")
    redshift = np.asarray(z, dtype="<f8")[order]
    # One NaN and one zero, however they were made.
    redshift = np.where(np.isnan(redshift), np.nan, redshift + 0.0).astype("<f8")
    quasar = np.asarray(is_qso, dtype=np.bool_)[order]
    digest = hashlib.sha256(objects[order].tobytes() + redshift.tobytes() + quasar.tobytes())
    return digest.hexdigest()[:16]


def snr_and_magnitude(ws: Workspace, row_id: NDArray[np.int64], object_id: NDArray[np.int64]) -> dict[str, Any]:
    """``snr`` and ``mag_r`` f4 (n,) of the rows ``row_id`` of the objects ``object_id``, NaN where unknown.

    The r magnitude is 22.5 - 2.5 log10 of the flux in nanomaggies, without correction for extinction.
    """
    rows = spectra_store.read_rows(ws, object_ids=np.unique(object_id).tolist())
    snr, magnitude = np.full(len(row_id), np.nan, np.float32), np.full(len(row_id), np.nan, np.float32)
    if len(rows):
        at = np.minimum(np.searchsorted(rows["id"], row_id), len(rows) - 1)
        known = rows["id"][at] == row_id
        flux = rows["flux_r"][at].astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            magnitude = np.where(known & (flux > 0), 22.5 - 2.5 * np.log10(flux), np.nan).astype(np.float32)
        snr = np.where(known, rows["snr"][at], np.nan).astype(np.float32)
    return {"snr": snr, "mag_r": magnitude}


def answer(weights: Weights, held: dict[str, NDArray[Any]]) -> ValidationAnswers:
    """Ask a network about the held-out spectra.

    ``held`` has ``x`` f4 (n, n_pixels) on the network's grid, ``object_id``, ``z``, ``is_qso``, ``snr``, ``mag_r``.
    """
    from qnet_tui.quasarnet.boxes import decode
    from qnet_tui.quasarnet.inference import Predictor

    lines = decode(Predictor(weights.settings).predict(weights, held["x"]), weights.grid)
    said = {"c_line": lines.c_line, "zbest": lines.zbest, "z_line": lines.z_line}
    truth = {name: held[name] for name in ("object_id", "z", "is_qso", "snr", "mag_r")}
    return ValidationAnswers(**{name: np.asarray({**said, **truth}[name], dtype) for name, dtype in _DTYPES.items()})


def write_answers(path: Path, answers: ValidationAnswers) -> None:
    """Write ``validation.npz``, whole or not at all. Errors: storage's own when it cannot be written."""
    write_npz(path, **{f.name: getattr(answers, f.name) for f in fields(answers)})


def read_answers(path: Path) -> ValidationAnswers:
    """Read ``validation.npz``; arrays that it has besides are not looked at.

    Errors: :class:`QnetError` when it is gone, cut off or not of six emission lines.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays: dict[str, Any] = {name: np.asarray(file[name], dtype) for name, dtype in _DTYPES.items()}
    except FileNotFoundError:
        raise QnetError("the answers on the held-out objects are gone", file=path, mend="train anew") from None
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise _damaged(path, " ".join(str(error).split())) from error
    n = len(arrays["object_id"])
    for name, array in arrays.items():
        wanted = (N_LINES, n) if name in ("c_line", "z_line") else (n,)
        if array.shape != wanted:
            raise _damaged(path, f"{name} has the shape {array.shape}, not {wanted}")
    return ValidationAnswers(**arrays)


def network_validation(answers: ValidationAnswers, n_lines: int = 1) -> HeldOutAnswers:
    """The answers of one network as a committee of one; a quasar needs ``n_lines`` confident emission lines."""
    return HeldOutAnswers(
        object_id=answers.object_id,
        z=answers.z,
        is_qso=answers.is_qso,
        snr=answers.snr,
        mag_r=answers.mag_r,
        confidence=deciding_confidence(answers.c_line, n_lines).astype(np.float32)[:, None],
        redshift=answers.zbest[:, None],
    )


def committee_validation(ws: Workspace, number: int) -> HeldOutAnswers | None:
    """What every network of the committee of round ``number`` says of the objects that were held out then.

    None where nothing was held out. Errors: :class:`QnetError` when the round or its files are gone or damaged.
    """
    from qnet_tui.workflows.round_scores import validation_answers
    from qnet_tui.workflows.round_selection import scored_round

    files, members, _ = scored_round(ws, number)
    if not files.validation.exists():
        return None
    truth = _held_out(files.validation)
    c_qso, zbest = validation_answers(files, members)
    row_id = truth.pop("row_id")
    return HeldOutAnswers(
        **truth,
        **snr_and_magnitude(ws, row_id, truth["object_id"]),
        confidence=c_qso,
        redshift=zbest.astype(np.float64),
    )


def committee_hash(ws: Workspace, number: int) -> str:
    """The hash of what was held out from round ``number``, "" where nothing was; reads none of the answers."""
    path = RoundFiles(ws.round_dir(number)).validation
    if not path.exists():
        return ""
    truth = _held_out(path)
    return validation_hash(truth["object_id"], truth["z"], truth["is_qso"])


def _held_out(path: Path) -> dict[str, NDArray[Any]]:
    """The truth in a round's plan; its vectors are not needed, and not read."""
    from qnet_tui.workflows.round_scores import stored

    with stored(path) as held:
        return {name: np.asarray(held[name]) for name in ("object_id", "z", "is_qso", "row_id")}


def _damaged(path: Path, why: str) -> QnetError:
    return QnetError(f"the answers on the held-out objects are damaged ({why})", file=path, mend="train anew")

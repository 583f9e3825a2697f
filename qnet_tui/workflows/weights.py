"""``qnet weights info|export|import``: weights files as files."""

import hashlib
from pathlib import Path
from typing import Any

import storage.runs as runs_store
from qnet_tui.errors import BadInput
from qnet_tui.quasarnet.weights_file import Weights, read_weights, write_weights
from qnet_tui.workflows.round_files import RoundFiles
from storage.workspace import Workspace


def load_weights(path: Path, offsets: str = "as-trained") -> Weights:
    """Read a weights file; ``offsets`` is "as-trained" or "quasarnp" (algorithm.md 0.1).

    Errors: :class:`BadInput` for another word, or a file that holds no QuasarNET.
    """
    if offsets == "quasarnp":
        return read_weights(path, offsets="quasarnp")
    if offsets != "as-trained":
        raise BadInput(f"offsets cannot be read {offsets!r}", mend="choose as-trained or quasarnp")
    return read_weights(path)


def describe(path: Path, offsets: str = "as-trained") -> dict[str, Any]:
    """Architecture, grid and provenance of any published QuasarNET file.

    Errors: :class:`BadInput` for a file that holds no QuasarNET.
    """
    weights = load_weights(path, offsets)
    s = weights.settings
    return {
        "file": str(path),
        "sha256": _sha256(path),
        "layers": s.layers,
        "padding": s.padding,
        "filters": s.filters,
        "kernel": s.kernel,
        "boxes": s.n_boxes,
        "pixels": s.n_pixels,
        "grid": weights.grid.name,
        "offsets_rescaled": weights.rescale,
        "parameters": s.n_parameters,
        **{f"attr_{name}": str(value) for name, value in sorted(weights.attrs.items())},
    }


def export_weights(root: Path, run: str, target: Path) -> dict[str, Any]:
    """Copy the weights of a ``train`` run, or of ``RUN:MEMBER`` of a round's committee, to ``target``.

    Errors: :class:`BadInput` when the run has no such weights.
    """
    name, _, member = run.partition(":")
    with Workspace.open(root) as ws:
        record = runs_store.get_run(ws, name)
        if record.verb == "train" and not member:
            source = ws.run_dir(record.id) / "weights.h5"
        elif record.verb == "run-al" and member.isdigit():
            source = RoundFiles(ws.round_dir(int(record.round or 0))).network(int(member))
        else:
            raise BadInput(f"{run} names no weights", mend="give a train run, or RUN:MEMBER of a run-al")
        if not source.exists():
            raise BadInput(f"{record.id} has no weights yet", file=source)
        return rewrite_weights(source, target)


def rewrite_weights(source: Path, target: Path, offsets: str = "as-trained") -> dict[str, Any]:
    """Read weights of any layout and write them in the layout that unmodified QuasarNP reads."""
    if target.exists() and target.samefile(source):
        raise BadInput("it would overwrite the file it is read from", file=target, mend="choose another --out")
    weights = load_weights(source, offsets)
    write_weights(target, weights, dict(weights.attrs))
    return {"file": str(target), "sha256": _sha256(target)}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

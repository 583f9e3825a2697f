"""Calls of really trained networks for ``qnet bench race``: those of a full round, or of a committee made for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.active_learning.calls import C_THRESHOLD, Z_SPLIT, call_classes
from qnet_tui.active_learning.race.far import call_margins
from qnet_tui.errors import BadInput
from qnet_tui.workflows.progress import Progress, silent


@dataclass(frozen=True, eq=False)
class CommitteeCalls:
    """What every network said of every row, and whose answers they are (``said``).

    ``calls`` int8 (n, N) of 0, 1, 2; ``margins`` float32 (n, N): how far they are from another call.
    """

    calls: NDArray[np.int8]
    margins: NDArray[np.float32]
    said: str


@dataclass(frozen=True)
class Effort:
    """How large the committee is that a bench makes for itself."""

    rows: int
    labels: int
    networks: int
    filters: int
    epochs: int


FULL = Effort(rows=20_000, labels=1_500, networks=60, filters=24, epochs=12)
QUICK = Effort(rows=1_500, labels=900, networks=16, filters=12, epochs=12)


def calls_of_round(root: Path, number: int | None) -> CommitteeCalls:
    """The calls of a round whose networks were asked about every row (``--full``), the last round by default.

    Errors: :class:`BadInput` when there is no such round or it was raced.
    """
    from qnet_tui.workflows.given_round import last_scored_round
    from qnet_tui.workflows.pool_files import pool_size
    from qnet_tui.workflows.round_scores import complete_answers
    from qnet_tui.workflows.round_selection import scored_round
    from storage.workspace import Workspace

    with Workspace.open(root) as ws:
        number = last_scored_round(ws) if number is None else number
        files, members, settings = scored_round(ws, number)
    n = pool_size(files)
    calls = np.full((n, len(members)), -1, dtype=np.int8)
    margins = np.zeros(calls.shape, dtype=np.float32)
    edges = {"c_threshold": settings.c_threshold, "z_split": settings.z_split}
    for some in complete_answers(files, members, settings, n):
        calls[some.rows] = call_classes(some.c_qso, some.zbest, **edges)
        margins[some.rows] = call_margins(some.c_qso, some.zbest, **edges)
    complete = (calls >= 0).all(axis=1)
    if complete.mean() < 0.99:
        raise BadInput(
            f"only {complete.mean():.1%} of the rows of round {number} have all calls: it was raced",
            mend="give a round made with --full",
        )
    said = f"{len(members)} networks and the {int(complete.sum()):,} rows of round {number}"
    return CommitteeCalls(calls[complete], margins[complete], said)


def drawn_up(known: CommitteeCalls, networks: int, rows: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Calls and margins of a larger committee on a larger pool, (rows, networks) each.

    Rows are drawn with repeats. A row's calls follow a Dirichlet distribution of its own counts + 0.02; the margin of
    each is that of one of the row's networks with this call, or where there is none that of such a call of another row
    in which it is in the minority.
    """
    rng = np.random.default_rng(43)
    own = known.calls.shape[1]
    counts = np.stack([(known.calls == k).sum(axis=1) for k in range(3)], axis=1)
    sorted_by = np.argsort(known.calls, axis=1, kind="stable")
    margin_of = np.take_along_axis(known.margins, sorted_by, axis=1)
    begin = np.cumsum(counts, axis=1) - counts
    share = np.take_along_axis(counts, known.calls.astype(np.int64), axis=1) / own
    minority = [known.margins[(known.calls == k) & (share < 0.5)] for k in range(3)]
    minority = [some if len(some) else np.zeros(1, dtype=np.float32) for some in minority]
    row = rng.integers(0, len(counts), rows)
    weights = rng.standard_gamma(counts[row] + 0.02)
    edges = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1).astype(np.float32)
    calls, margins = np.empty((rows, networks), dtype=np.int8), np.empty((rows, networks), dtype=np.float32)
    for network in range(networks):
        u = rng.random(rows, dtype=np.float32)
        call = (u > edges[:, 0]).astype(np.int8) + (u > edges[:, 1])
        many = counts[row, call]
        place = np.minimum((rng.random(rows) * many).astype(np.int64), np.maximum(many - 1, 0))
        margin = margin_of[row, np.minimum(begin[row, call] + place, own - 1)]
        for k in range(3):
            unseen = np.flatnonzero((call == k) & (many == 0))
            margin[unseen] = rng.choice(minority[k], len(unseen))
        calls[:, network], margins[:, network] = call, margin
    return calls, margins


def calls_made(effort: Effort, progress: Progress = silent) -> CommitteeCalls:
    """Simulate spectra, train a committee on bootstraps of some of them, and ask it about all."""
    from qnet_tui.active_learning.bootstrap import bootstrap_indices
    from qnet_tui.quasarnet.boxes import encode
    from qnet_tui.quasarnet.inference import Predictor
    from qnet_tui.quasarnet.settings import NetworkSettings, TrainingSettings
    from qnet_tui.quasarnet.training import trainer_for
    from qnet_tui.spectra.grids import log_grid

    parts = list(_simulated(effort.rows, progress))
    x = np.concatenate([part[0] for part in parts])
    known = np.concatenate([part[1] for part in parts])
    is_qso, z = known == "QSO", np.concatenate([part[2] for part in parts])
    sure = np.flatnonzero(np.isin(known, ("QSO", "GALAXY", "STAR")))
    labelled = np.random.default_rng(41).permutation(sure)[: effort.labels]
    shape = NetworkSettings(filters=effort.filters)
    training = TrainingSettings(epochs=effort.epochs, learning_rate=2e-3, batch=64, keep="last", record_start=False)
    trainer, predictor = trainer_for(shape, training, log_grid(), "graph"), Predictor(shape)
    calls = np.empty((len(x), effort.networks), dtype=np.int8)
    margins = np.empty(calls.shape, dtype=np.float32)
    for member in range(effort.networks):
        progress("training networks", member, effort.networks)
        drawn = labelled[bootstrap_indices(len(labelled), np.random.SeedSequence([42, member]))]
        targets = encode(z[drawn], is_qso[drawn], np.zeros(len(drawn), dtype=np.int8), log_grid())
        weights = trainer.train(x[drawn], targets, member).weights
        said = predictor.answers(weights, x, log_grid(), c_threshold=C_THRESHOLD, z_split=Z_SPLIT)
        calls[:, member] = call_classes(said.c_qso, said.zbest)
        margins[:, member] = call_margins(said.c_qso, said.zbest, c_threshold=C_THRESHOLD, z_split=Z_SPLIT)
    progress("training networks", effort.networks, effort.networks)
    return CommitteeCalls(
        calls,
        margins,
        f"{effort.networks} networks of {effort.filters} filters, trained on bootstraps of {len(labelled):,} of "
        f"{len(x):,} simulated spectra",
    )


def _simulated(rows: int, progress: Progress) -> Iterator[tuple[NDArray[np.float32], NDArray[Any], NDArray[Any]]]:
    """Vectors, class and redshift of simulated spectra, a file at a time: written, read like a survey's, removed."""
    from qnet_tui.simulation.files import write_petal
    from qnet_tui.simulation.petal import observe_petal
    from qnet_tui.simulation.settings import SimulationSettings
    from qnet_tui.spectra.grids import log_grid
    from qnet_tui.spectra.read import read_vectors

    each = 500
    settings = SimulationSettings(rows=rows, seed=40, redrock=False, repeats=0.0)
    files = -(-rows // each)
    with TemporaryDirectory(prefix="qnet-bench-") as folder:
        for number, seed in enumerate(np.random.SeedSequence(40).spawn(files)):
            progress("simulating spectra", number * each, rows)
            petal = observe_petal(seed, settings, number, min(each, rows - number * each), None)
            written = write_petal(Path(folder), petal, settings)
            _, vectors = read_vectors(written[0], log_grid())
            for path in written:
                path.unlink()
            table = petal.objects.table[vectors.kept]
            yield vectors.x, table["spectral_class"].astype(str), table["z"].astype(np.float64)

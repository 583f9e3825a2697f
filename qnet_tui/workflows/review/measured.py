"""Whatever was measured on held-out objects, one list for all tabs: trainings, base trainings of a run, committees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

import numpy as np

import storage.runs as runs_store
from qnet_tui.errors import BadInput, QnetError
from qnet_tui.workflows.datasets_plan import planned, training_name
from qnet_tui.workflows.datasets_tasks import DatasetsFiles
from qnet_tui.workflows.review.tab import Asked
from qnet_tui.workflows.truth_rounds import short_name, truth_name
from qnet_tui.workflows.validation_answers import (
    HeldOutAnswers,
    committee_hash,
    committee_validation,
    network_validation,
    read_answers,
)
from storage.workspace import Workspace

_TOLD = 2
"""So many that left no answers are told of one by one."""


@dataclass(frozen=True)
class EpochCounts:
    """What one epoch found on the held-out objects, at the threshold of its training."""

    epoch: int
    tp: int
    fp: int
    fn: int


@dataclass(eq=False)
class Measured:
    """A network or a committee that was measured on held-out objects.

    ``name`` is unique ("tr-0003 AL 2", "committee 1"), ``label`` says what it learnt from, ``size`` on how many
    spectra (None: not recorded). ``epochs`` are empty for a committee; ``counts`` (tp, fp, fn) of a committee at
    ``c_threshold``, as its run recorded them. ``kept_epoch`` is that of the weights, None for a committee.
    """

    name: str
    label: str
    run: str
    size: int | None
    c_threshold: float
    read: Callable[[], HeldOutAnswers | None]
    round: int | None = None
    epochs: tuple[EpochCounts, ...] = ()
    kept_epoch: int | None = None
    counts: tuple[int, int, int] | None = None
    read_hash: Callable[[], str] | None = None
    why_not: str = field(default="", init=False)

    @property
    def committee(self) -> bool:
        """Whether a round's committee and no single network."""
        return self.round is not None

    @cached_property
    def answers(self) -> HeldOutAnswers | None:
        """The final answers on the held-out objects; None, and ``why_not`` in one line, where they cannot be read."""
        try:
            said = self.read()
        except QnetError as error:
            self.why_not = f"{self.name}: {error}"
            return None
        if said is None or not len(said):
            self.why_not = f"{self.name}: nothing was held out"
            return None
        return said

    @cached_property
    def hash(self) -> str:
        """Which validation set, "" where that cannot be known."""
        try:
            if self.read_hash is not None:
                return self.read_hash()
        except QnetError:
            return ""
        return "" if self.answers is None else self.answers.hash


def measured(ws: Workspace) -> list[Measured]:
    """Every ``train`` run, the datasets of every ``datasets`` run as they are, every committee; oldest first."""
    out: list[Measured] = []
    for record in reversed(runs_store.runs(ws)):
        if record.verb == "train":
            one = _training(ws, record)
            # What was killed before its first epoch has nothing to show.
            if one.epochs or record.state == "DONE":
                out.append(one)
        elif record.verb == "datasets":
            out.extend(_base_trainings(ws, record))
        elif record.verb == "run-al" and record.round and (record.result or {}).get("validation"):
            out.append(_committee(ws, record))
    return out


def epochs_of(metrics: Sequence[runs_store.MetricRecord], dataset: str) -> tuple[EpochCounts, ...]:
    """Counts of each epoch from its recorded shares: tp = completeness · quasars, fp from the purity's n."""
    by_epoch: dict[int, dict[str, tuple[float, int]]] = {}
    for m in metrics:
        if m.dataset == dataset and m.epoch is not None and m.n:
            by_epoch.setdefault(int(m.epoch), {})[m.name] = (float(m.value), int(m.n))
    out = []
    for epoch, values in sorted(by_epoch.items()):
        if "completeness" in values:
            share, quasars = values["completeness"]
            tp = round(share * quasars)
            called = values.get("purity", (0.0, 0))[1]
            out.append(EpochCounts(epoch, tp, called - tp if called else 0, quasars - tp))
    return tuple(out)


def chosen(every: Sequence[Measured], asked: Asked) -> list[Measured]:
    """Those asked for: all, those of a round, one by its name, or two as "A:B" in that order.

    A name may be the run's id ("tr-0003") or what it learnt from ("AL 2", the newest of these). Errors:
    :class:`BadInput` for one that is not there.
    """
    if asked.round is not None and not asked.dataset:
        of_round = [one for one in every if one.round == asked.round]
        if not of_round:
            raise BadInput(f"no committee of a round {asked.round} was measured", mend="qnet review rounds lists them")
        return of_round
    if not asked.dataset:
        return list(every)
    names = asked.dataset.split(":")
    if len(names) > 2:
        raise BadInput(f"{len(names)} datasets are named", mend="name one, or two as A:B")
    return [_named(every, name.strip()) for name in names]


def newest_two(some: Sequence[Measured]) -> list[Measured]:
    """The newest with answers and, where there is one, the newest of its kind before it; [] where none has answers."""
    readable = (one for one in reversed(some) if one.answers is not None)
    new = next(readable, None)
    if new is None:
        return []
    old = next((one for one in readable if one.committee == new.committee), None)
    return [new] if old is None else [new, old]


def unread(some: Sequence[Measured]) -> tuple[str, ...]:
    """Notes that say whose answers cannot be read and why, of those that were asked, the newest first."""
    why = [one.why_not for one in reversed(some) if one.why_not]
    more = (f"and {len(why) - _TOLD:,} more left no answers",) if len(why) > _TOLD else ()
    return (*why[:_TOLD], *more)


def why_different(one: Measured, other: Measured) -> str:
    """Why two may not be compared, "" where they may: other objects, or another truth of them."""
    a, b = one.answers, other.answers
    if a is None or b is None or one.hash == other.hash:
        return ""
    shared = np.intersect1d(a.object_id, b.object_id)
    first, second = a.of(shared), b.of(shared)
    other_z = (first.z != second.z) & ~(np.isnan(first.z) & np.isnan(second.z))
    changed = int(np.count_nonzero((first.is_qso != second.is_qso) | other_z))
    words = (
        f"{one.name} was measured on {len(a):,} objects, {other.name} on {len(b):,}, {len(shared):,} of them the same"
    )
    return words + (f", {changed:,} of these with another truth now" if changed else "")


def comparable(one: Measured, other: Measured, *, force: bool) -> tuple[HeldOutAnswers, HeldOutAnswers]:
    """The answers of two on the same objects in one order.

    Errors: :class:`BadInput` where they were measured on different objects or another truth; with ``force`` the
    objects that both know as the same class are compared, and there must be some.
    """
    a, b = one.answers, other.answers
    for this, answers in ((one, a), (other, b)):
        if answers is None:
            raise BadInput(f"not comparable: {this.why_not}", mend="train anew: qnet train")
    assert a is not None
    assert b is not None
    why = why_different(one, other)
    if why and not force:
        raise BadInput(f"not comparable: {why}", mend="train both anew, or --force compares what both were measured on")
    shared = np.intersect1d(a.object_id, b.object_id)
    a, b = a.of(shared), b.of(shared)
    same = shared[a.is_qso == b.is_qso]
    if not len(same):
        raise BadInput(f"not comparable: {one.name} and {other.name} were measured on no common object")
    return a.of(same), b.of(same)


def _named(every: Sequence[Measured], name: str) -> Measured:
    for alike in (
        [one for one in every if one.name == name],
        [one for one in every if one.run == name],
        [one for one in every if name in (one.label, short_name(one.label))][-1:],
    ):
        if len(alike) == 1:
            return alike[0]
        if alike:
            raise BadInput(f"{name} has several datasets", mend=f"choose {', '.join(one.name for one in alike)}")
    names = ", ".join(one.name for one in every) or "none is there yet"
    raise BadInput(f"no dataset is called {name!r}", mend=f"choose {names}")


def _training(ws: Workspace, record: runs_store.RunRecord) -> Measured:
    result, settings = record.result or {}, record.settings
    at = settings.get("at_round")
    label = str(settings.get("truth") or ("" if at is None else truth_name(ws, int(at))))
    path, n_lines = ws.run_dir(record.id) / "validation.npz", int(settings.get("n_lines", 1))
    return Measured(
        name=f"{record.id} {short_name(label)}".strip(), label=label, run=record.id, size=result.get("training"),
        c_threshold=float(settings.get("c_threshold", 0.95)),
        read=partial(_read_network, path, n_lines),
        epochs=epochs_of(runs_store.metrics(ws, record.id), "validation"), kept_epoch=result.get("best_epoch"),
    )  # fmt: skip


def _base_trainings(ws: Workspace, record: runs_store.RunRecord) -> list[Measured]:
    metrics, files = runs_store.metrics(ws, record.id), DatasetsFiles(ws.run_dir(record.id))
    n_lines = int(record.settings.get("n_lines", 1))
    out = []
    for one in planned(ws, record.id).get("datasets", []):
        name = training_name(one["name"], 0)
        path = files.training(one["index"], 0).answers
        losses = [(m.value, m.epoch) for m in metrics if m.dataset == name and m.name == "val_loss" and m.epoch]
        epochs = epochs_of(metrics, name)
        if epochs:
            out.append(Measured(
                name=f"{record.id} {short_name(one['name'])}", label=one["name"], run=record.id, size=one["size"],
                c_threshold=float(record.settings.get("c_threshold", 0.95)),
                read=partial(_read_network, path, n_lines), epochs=epochs,
                kept_epoch=min(losses)[1] if losses else None,
            ))  # fmt: skip
    return out


def _read_network(path: Path, n_lines: int) -> HeldOutAnswers:
    return network_validation(read_answers(path), n_lines)


def _committee(ws: Workspace, record: runs_store.RunRecord) -> Measured:
    number, said = int(record.round or 0), record.result["validation"]
    return Measured(
        name=f"committee {number}", label=f"committee of round {number}", run=record.id,
        size=record.result.get("training"), c_threshold=float(record.settings.get("c_threshold", 0.95)),
        read=partial(committee_validation, ws, number), read_hash=partial(committee_hash, ws, number), round=number,
        counts=(int(said["tp"]), int(said["fp"]), int(said["fn"])),
    )  # fmt: skip

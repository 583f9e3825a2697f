"""All that is known of one run: settings with the changed ones marked, inputs, timings, failures, what it left."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import storage.runs as runs_store
from qnet_tui.workflows.presets import PRESETS, round_settings
from qnet_tui.workflows.run_facts import can_go_on, reproduce_command, resume_command
from storage.runs import RunRecord
from storage.workspace import Workspace

if TYPE_CHECKING:
    from qnet_tui.workflows.runs import RunLine

FEW_FAILURES = 20
_HASHED_BYTES = 1 << 30  # A larger file is named by its size alone.


@dataclass(frozen=True)
class Failure:
    """A task that failed at its last try."""

    task: str
    error: str


@dataclass(frozen=True)
class Artefact:
    """A file that the run left, or a folder of them: ``files`` in it, ``bytes`` of all."""

    path: str
    files: int
    bytes: int


@dataclass(frozen=True)
class Input:
    """What the run worked on: ``what`` it is, its ``name``, and the ``hash`` of what is in it ("" unknown)."""

    what: str
    name: str
    hash: str


@dataclass(frozen=True)
class RunDetail:
    """All that is known of one run.

    ``changed`` names the settings that differ from those of the preset, or from the verb's own. ``stage_seconds`` are
    those of the last sitting. ``failures`` are at most 20 of ``failed_tasks``. ``resume`` goes on with it, ``again``
    does the same from the beginning; "" where there is no such command.
    """

    line: RunLine
    host: str
    pid: int
    heartbeat_age: float
    command: str
    settings: dict[str, Any]
    versions: dict[str, Any]
    truth_hash: str
    result: dict[str, Any]
    metrics: list[dict[str, Any]] = field(default_factory=list)
    resume: str = ""
    job: str = ""
    changed: tuple[str, ...] = ()
    inputs: tuple[Input, ...] = ()
    stage_seconds: dict[str, float] = field(default_factory=dict)
    failed_tasks: int = 0
    failures: tuple[Failure, ...] = ()
    log: str = ""
    artefacts: tuple[Artefact, ...] = ()
    again: str = ""


def show_run(root: Path, run: str) -> RunDetail:
    """One run by its id or an unambiguous beginning of it."""
    from qnet_tui.workflows.runs import run_line

    with Workspace.open(root) as ws:
        record = runs_store.get_run(ws, run)
        result = record.result or {}
        failed = runs_store.failed_tasks(ws, record.id)
        folders = _folders(ws, record)
        return RunDetail(
            line=run_line(ws, record),
            host=record.host,
            pid=record.pid,
            heartbeat_age=record.heartbeat_age,
            command=record.command,
            settings=record.settings,
            versions=record.versions,
            truth_hash=record.truth_hash,
            result=result,
            metrics=[
                {"dataset": m.dataset, "epoch": m.epoch, "name": m.name, "value": m.value, "n": m.n}
                for m in runs_store.metrics(ws, record.id)
            ],
            resume=_resume(ws, record),
            job=record.job,
            changed=changed_settings(record),
            inputs=tuple(_inputs(ws, record)),
            stage_seconds=dict(result.get("stage_seconds") or {}),
            failed_tasks=len(failed),
            failures=tuple(Failure(one.name, str(one.detail.get("error", ""))) for one in failed[:FEW_FAILURES]),
            log=_log(record, folders),
            artefacts=tuple(artefact for folder in folders for artefact in _artefacts(ws, folder)),
            again=reproduce_command(ws.root, record),
        )


def changed_settings(record: RunRecord) -> tuple[str, ...]:
    """The settings of a run that are not those of its preset (of training: and of its usual epochs and rate).

    The seed and the preset's own name are no changes. A run without a preset has nothing to be compared with: none.
    """
    preset = record.settings.get("preset")
    if preset not in PRESETS:
        return ()
    usual = round_settings(preset).as_dict()
    if record.verb == "train":
        from qnet_tui.workflows.train import FINAL_EPOCHS, FINAL_LEARNING_RATE

        usual |= {"epochs": FINAL_EPOCHS, "learning_rate": FINAL_LEARNING_RATE, "at_round": None, "out": None}
    return tuple(name for name, value in record.settings.items() if name in usual and usual[name] != value)


def _resume(ws: Workspace, record: RunRecord) -> str:
    """The verb's own command where it has one: it takes more options."""
    if record.verb in ("run-al", "train"):
        return f"qnet {record.verb} --resume {record.id}" if can_go_on(ws, record) else ""
    return resume_command(ws, record)


def _inputs(ws: Workspace, record: RunRecord) -> Iterator[Input]:
    result = record.result or {}
    if record.truth_hash:
        labels = result.get("training")
        yield Input(
            "truth", f"{labels:,} labels trained on" if isinstance(labels, int) else "labels", record.truth_hash
        )
    rows = result.get("rows")
    if isinstance(rows, int) and rows:
        yield Input("spectra", f"{rows:,} rows of the workspace", "")
    for name, value in record.settings.items():
        # A file that was named, as it is now: of the time of the run only its name was written down.
        if isinstance(value, str) and ("/" in value or "." in value) and name != "out":
            path = Path(value)
            path = path if path.is_absolute() else ws.root / path
            if path.is_file():
                yield Input(name, value, _sha256(path))


def _folders(ws: Workspace, record: RunRecord) -> list[Path]:
    """The folders of a run that exist: its own, and that of its round (given up or not)."""
    found = [ws.runs_dir / record.id]
    if record.verb == "run-al" and record.round:
        round_folder = ws.rounds_dir / f"{int(record.round):03d}"
        aside = round_folder.with_name(f"{round_folder.name}.given-up.{record.id}")
        found.append(aside if record.hidden else round_folder)
    return [folder for folder in found if folder.is_dir()]


def _log(record: RunRecord, folders: list[Path]) -> str:
    if record.log:
        return record.log
    return next((str(folder / "log") for folder in folders if (folder / "log").is_file()), "")


def _artefacts(ws: Workspace, folder: Path) -> Iterator[Artefact]:
    """The files of a folder, and its folders as one line each."""
    for entry in sorted(folder.iterdir()):
        inside = [path for path in entry.rglob("*") if path.is_file()] if entry.is_dir() else [entry]
        sizes = [size for path in inside if (size := _size(path)) is not None]
        name = f"{entry.relative_to(ws.root)}{'/' if entry.is_dir() else ''}"
        yield Artefact(name, len(sizes), sum(sizes))


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:  # Gone since it was listed: a run may be at work.
        return None


def _sha256(path: Path) -> str:
    """The hash of a file, "" where it cannot be read or is too large to be read for a look at a run."""
    try:
        if path.stat().st_size > _HASHED_BYTES:
            return ""
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""

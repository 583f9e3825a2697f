"""``qnet demo``: the whole loop on the sample inside the package, in minutes, without a question.

The sample's spectra with their truth, and further rows from the simulator with its default S/N mix, are ingested;
part of the truth is held out, and part of the simulated objects get no label at all: they are the pool that the
committee is asked about.
"""

import importlib.resources
import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import storage.settings as campaign
from qnet_tui.errors import BadInput, QnetError
from qnet_tui.workflows.ingest import ingest
from qnet_tui.workflows.initialise import initialise
from qnet_tui.workflows.presets import round_settings
from qnet_tui.workflows.progress import Progress, silent
from qnet_tui.workflows.run_al import RoundResult, run_round
from qnet_tui.workflows.simulate import simulate_survey
from qnet_tui.workflows.truth import import_truth, split
from storage.workspace import Workspace

SIMULATED_ROWS = 2500
"""Added to the sample: enough for a committee to learn from and for 300 rows that it never sees."""

LABELLED_SHARE = 0.7
"""Of the objects with secure truth; the rest plays the unlabelled pool."""

VALIDATION_SHARE = 0.3
SEED = 20250501


@dataclass(frozen=True)
class DemoResult:
    """What ``qnet demo`` says; the figures are the committee's on objects that it never saw."""

    workspace: Path
    run: str
    round: int
    selected: int
    completeness: float
    purity: float
    completeness_interval: tuple[float, float]
    purity_interval: tuple[float, float]
    validation_objects: int
    counts: dict[str, int]
    rows: int
    training: int
    entropy_cut: float
    stage_seconds: dict[str, float]
    seconds: float


def sample_folder() -> Path:
    """Folder of the sample: inside the installed package, or beside it in a checkout.

    Errors: :class:`QnetError` when the installation lacks it.
    """
    inside = Path(str(importlib.resources.files("qnet_tui"))) / "sample_data"
    beside = inside.parent.parent / "sample_data"
    for folder in (inside, beside):
        if folder.is_dir() and any(folder.glob("*truth*.csv")):
            return folder
    raise QnetError("the sample is not in this installation", mend="pip install it again")


def demo(folder: Path | None, *, jobs: int, progress: Progress = silent) -> DemoResult:
    """Make a workspace in ``folder`` (None: a new one under the temporary folder) and run one small round in it.

    Errors: :class:`BadInput` when ``folder`` holds something already.
    """
    began = time.monotonic()
    root = _new_folder(folder)
    initialise(root)
    survey = root / "survey"
    simulated = simulate_survey(survey, SIMULATED_ROWS, SEED, progress=progress)
    sample = sample_folder()
    ingest(root, [str(sample), str(survey)], jobs=jobs, progress=progress)
    with Workspace.open(root) as ws:
        # One inspector is enough here: what is typed in the labelling screen can be merged and trained on at once.
        campaign.set_setting(ws, "votes_required", 1, by="demo")
        campaign.set_setting(ws, "blind_model", False, by="demo")
    labelled = seal_some(simulated.truth_file, survey)
    for table in [*sorted(sample.glob("*truth*.csv")), labelled]:
        import_truth(root, table)
    split(root, VALIDATION_SHARE, SEED)
    result = run_round(root, round_settings("smoke"), jobs=jobs, command="qnet demo", progress=progress)
    return _summary(root, result, time.monotonic() - began)


def seal_some(truth_file: Path, folder: Path) -> Path:
    """Part the simulated truth: ``truth-labelled.csv`` is imported, ``truth-sealed.csv`` stays closed until you ask.

    An object's lines stay together. Returns the labelled part.
    """
    header, *lines = truth_file.read_text().splitlines()
    objects = sorted({line.split(",", 1)[0] for line in lines})
    random.Random(SEED).shuffle(objects)
    known = set(objects[: int(LABELLED_SHARE * len(objects))])
    for name, wanted in (("truth-labelled.csv", True), ("truth-sealed.csv", False)):
        mine = [line for line in lines if (line.split(",", 1)[0] in known) == wanted]
        (folder / name).write_text("\n".join([header, *mine]) + "\n")
    return folder / "truth-labelled.csv"


def _new_folder(folder: Path | None) -> Path:
    if folder is None:
        return Path(tempfile.mkdtemp(prefix="qnet-demo-")) / "campaign"
    if folder.exists() and any(folder.iterdir()):
        raise BadInput("it is not empty", file=folder, mend="give the demo a folder of its own")
    return folder


def _summary(root: Path, result: RoundResult, seconds: float) -> DemoResult:
    validation: dict[str, Any] = result.validation or {}
    return DemoResult(
        workspace=root,
        run=result.run,
        round=result.round,
        selected=result.selected,
        completeness=validation.get("completeness", float("nan")),
        purity=validation.get("purity", float("nan")),
        completeness_interval=validation.get("completeness_interval", (float("nan"), float("nan"))),
        purity_interval=validation.get("purity_interval", (float("nan"), float("nan"))),
        validation_objects=validation.get("n", 0),
        counts={name: int(validation.get(name, 0)) for name in ("tp", "fp", "fn", "tn")},
        rows=result.rows,
        training=result.training,
        entropy_cut=result.entropy_cut,
        stage_seconds=result.stage_seconds,
        seconds=seconds,
    )

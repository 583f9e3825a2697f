"""What came of a study: measures of every committee, the worth of a label by every arm, and what to choose.

What counts is what one network in a pipeline would get, so a committee's figure is the mean over its members; their
spread and the figures of the majority stand beside it. Fixed thresholds trade completeness against purity, so the
verdict is by a measure at equal purity (:data:`HEADLINE`).
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from qnet_tui.errors import QnetError
from qnet_tui.evaluation.classification import DV_MAX_2018, completeness_purity
from qnet_tui.evaluation.thresholds import average_precision, completeness_at_purity
from qnet_tui.evaluation.worth import LabelWorth, MeanInterval, mean_interval, worth_of_labels
from qnet_tui.whole_files import write_whole
from qnet_tui.workflows.round_files import read_npz
from qnet_tui.workflows.study_settings import RANDOM, START, Arm, StudyFiles, StudySettings

MEASURES = {
    "c_at_p95": "completeness where purity is 95 %",
    "c_at_p99": "completeness where purity is 99 %",
    "ap": "area under purity-completeness",
    "completeness": "completeness at c > 0.95",
    "purity": "purity at c > 0.95",
    "completeness_50": "completeness at c > 0.5",
    "purity_50": "purity at c > 0.5",
    "completeness_z": "completeness at c > 0.95 with a right redshift",
}
"""Names of the measures; higher is better. A right redshift is within 6000 km/s (Busca & Balland 2018)."""

HEADLINE = "c_at_p95"
"""By which arms are judged: at equal purity, so that no shift of the confidences passes for a gain."""


@dataclass(frozen=True)
class ArmWorth:
    """The worth of an arm's labels after ``spent`` of them, by one measure; ``arm`` the name in tables."""

    arm: str
    strategy: str
    map: bool
    measure: str
    worth: LabelWorth


@dataclass(frozen=True)
class ArmVerdict:
    """What is to be said of one arm after its last round.

    ``verdict`` and ``sentence`` are by the headline measure, ``by_measure`` has the verdict by each; ``qso_share`` and
    ``unreadable_share`` are those of its picks.
    """

    arm: str
    verdict: str
    by_measure: dict[str, str]
    sentence: str
    qso_share: float
    unreadable_share: float


@dataclass(frozen=True)
class StudyReport:
    """The rows of ``curves.json``, the random curve (means), the worth of every arm, verdicts and advice."""

    rows: list[dict[str, Any]]
    random_curve: list[dict[str, Any]]
    arms: list[ArmWorth]
    verdicts: list[ArmVerdict]
    advice: str


def measures(
    c: NDArray[np.float32], z: NDArray[np.float32], is_qso: NDArray[np.bool_], z_true: NDArray[np.float64]
) -> dict[str, float]:
    """All measures of one network (or majority) from its confidences and redshifts (n,) for the test objects."""
    at_95 = completeness_purity(c > np.float32(0.95), is_qso)
    at_50 = completeness_purity(c > np.float32(0.5), is_qso)
    right = completeness_purity(c > np.float32(0.95), is_qso, z_pred=z, z_true=z_true, dv_max=DV_MAX_2018)
    out = {
        "ap": average_precision(c, is_qso),
        "completeness": at_95.completeness,
        "purity": at_95.purity,
        "completeness_50": at_50.completeness,
        "purity_50": at_50.purity,
        "completeness_z": right.completeness,
    }
    for name, purity in (("c_at_p95", 0.95), ("c_at_p99", 0.99)):
        best = completeness_at_purity(c, is_qso, purity)
        # No threshold is pure enough: nothing can be had at that purity.
        out[name] = 0.0 if best is None else best.completeness
    return {name: out[name] for name in MEASURES}


def majority(c: NDArray[np.float32], z: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Confidence and redshift (n,) of a committee's majority out of those of its members (networks, n).

    The confidence is above a threshold exactly when more than half of the members' are; the redshift is the median.
    """
    networks = len(c)
    deciding = np.sort(c, axis=0)[networks - 1 - networks // 2]
    return deciding, np.median(z, axis=0).astype(np.float32)


def study_report(files: StudyFiles, settings: StudySettings) -> StudyReport:
    """Read whatever committees there are and say what they show; of a study under way that is a part."""
    rows = _rows(files, settings)
    arms = [
        ArmWorth(arm.name, arm.strategy, arm.map, measure, worth)
        for arm in settings.arms
        for spent in (settings.ask * n for n in range(1, settings.rounds + 1))
        for measure in MEASURES
        if (worth := _worth(rows, settings, arm, spent, measure)) is not None
    ]
    verdicts = [one for arm in settings.arms if (one := _verdict(rows, arms, settings, arm)) is not None]
    return StudyReport(rows, _random_curve(rows, settings), arms, verdicts, _advice(rows, arms, settings))


def write_curves(path: Path, run: str, report: StudyReport) -> None:
    """Write ``curves.json``: ``run`` and the fields of the report; what is not known is null."""
    document = _finite({"run": run, **asdict(report)})
    write_whole(path, (json.dumps(document, indent=1, allow_nan=False) + "\n").encode())


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _rows(files: StudyFiles, settings: StudySettings) -> list[dict[str, Any]]:
    """One row for each committee that answered: replica by replica, the start, the random curve, then the arms."""
    if not files.plan.exists():
        return []
    plan = read_npz(files.plan)
    rounds = range(1, settings.rounds + 1)
    asked = [(START, False, 0), *((RANDOM, False, n) for n in settings.curve)]
    asked += [(a.strategy, a.map, n * settings.ask) for a in settings.arms for n in rounds]
    out = []
    for replica in range(settings.seeds):
        for strategy, with_map, spent in asked:
            path = files.committee(replica, Arm(strategy, with_map).name, spent)
            if not path.exists():
                continue
            try:
                said = read_npz(path)
            except (OSError, ValueError, EOFError, BadZipFile) as error:
                raise QnetError(
                    f"cannot be read: {error}",
                    file=path,
                    mend="restore it from a copy; delete it, and a study that is not done makes it again when resumed",
                ) from error
            out.append(_row(said, plan, settings, replica, strategy, with_map, spent))
    return out


def _row(
    said: dict[str, NDArray[Any]],
    plan: dict[str, NDArray[Any]],
    settings: StudySettings,
    replica: int,
    strategy: str,
    with_map: bool,
    spent: int,
) -> dict[str, Any]:
    is_qso, z_true = plan["test_is_qso"], plan["test_z"]
    members = [measures(c, z, is_qso, z_true) for c, z in zip(said["c_test"], said["z_test"], strict=True)]
    readable, qso = plan["readable"][said["picked"]], plan["is_qso"][said["picked"]]
    number, rest = divmod(spent, settings.ask)

    def over_members(how: Callable[[list[float]], Any]) -> dict[str, float]:
        known = {name: [one[name] for one in members if np.isfinite(one[name])] for name in MEASURES}
        return {name: float(how(values)) if values else float("nan") for name, values in known.items()}

    return {
        # The start is the first point of the curve of random labels.
        "strategy": RANDOM if strategy == START else strategy,
        "map": with_map,
        "seed": replica,
        "round": number if not rest and number <= settings.rounds else 0,
        "labels": settings.start + spent,
        "spent": spent,
        "readable": settings.start + int(readable.sum()),
        "picks_qso": int(qso.sum()),
        "picks_unreadable": int((~readable).sum()),
        **over_members(np.mean),
        "spread": over_members(lambda values: np.std(values, ddof=1) if len(values) > 1 else np.nan),
        "committee": measures(*majority(said["c_test"], said["z_test"]), is_qso, z_true),
    }


def _of(rows: Iterable[dict[str, Any]], strategy: str, with_map: bool) -> dict[tuple[int, int], dict[str, Any]]:
    """Rows of one arm, or of the random curve, by (replica, labels spent)."""
    return {(r["seed"], r["spent"]): r for r in rows if r["strategy"] == strategy and r["map"] == with_map}


def _worth(
    rows: list[dict[str, Any]], settings: StudySettings, arm: Arm, spent: int, measure: str
) -> LabelWorth | None:
    """The worth over the replicas of which arm and whole random curve are there; None where there is no replica."""
    mine, others, counts = _of(rows, arm.strategy, arm.map), _of(rows, RANDOM, False), (0, *settings.curve)
    replicas = [
        r for r in range(settings.seeds) if (r, spent) in mine and all((r, count) in others for count in counts)
    ]
    if not replicas:
        return None
    table = np.array([[others[r, count][measure] for count in counts] for r in replicas])
    return worth_of_labels(spent, counts, table, [mine[r, spent][measure] for r in replicas])


def _random_curve(rows: list[dict[str, Any]], settings: StudySettings) -> list[dict[str, Any]]:
    """Mean and interval over the replicas of every measure after so many random labels."""
    others = _of(rows, RANDOM, False)
    out: list[dict[str, Any]] = []
    for spent in (0, *settings.curve):
        some = [others[r, spent] for r in range(settings.seeds) if (r, spent) in others]
        if some:
            means = {name: asdict(mean_interval([row[name] for row in some])) for name in MEASURES}
            unreadable = sum(row["picks_unreadable"] for row in some) / max(1, spent * len(some))
            out.append({"spent": spent, "labels": settings.start + spent, "unreadable_share": unreadable, **means})
    return out


def _verdict(rows: list[dict[str, Any]], arms: list[ArmWorth], settings: StudySettings, arm: Arm) -> ArmVerdict | None:
    spent = settings.ask * settings.rounds
    mine = {a.measure: a.worth for a in arms if (a.arm, a.worth.spent) == (arm.name, spent)}
    if not mine:
        return None
    worth = mine[HEADLINE]
    picks = [row for (_, n), row in _of(rows, arm.strategy, arm.map).items() if n == spent]
    asked = spent * len(picks)
    replicas = f"{worth.difference.n} replica" + ("s" if worth.difference.n != 1 else "")
    said = {
        "pays": f"{arm.name} pays",
        "does not pay": f"{arm.name} does not pay",
        "cannot tell": f"{arm.name}: cannot tell with {replicas}",
    }[worth.verdict]
    return ArmVerdict(
        arm=arm.name,
        verdict=worth.verdict,
        by_measure={name: one.verdict for name, one in mine.items()},
        sentence=f"{said}: a label is worth {worth_words(worth)} random ones by {MEASURES[HEADLINE]}",
        qso_share=sum(row["picks_qso"] for row in picks) / asked,
        unreadable_share=sum(row["picks_unreadable"] for row in picks) / asked,
    )


def worth_words(worth: LabelWorth) -> str:
    """The worth with its interval as people read it: "1.62 (1.10 to >= 3.00)"."""

    def words(one: Any) -> str:
        sign = {"": "", "at least": ">= ", "at most": "<= "}[one.censored]
        return "-" if np.isnan(one.value) else f"{sign}{one.value:.2f}"

    return f"{words(worth.worth)} ({words(worth.lo)} to {words(worth.hi)})"


def _advice(rows: list[dict[str, Any]], arms: list[ArmWorth], settings: StudySettings) -> str:
    """Which arm a preset should use: the best by the headline measure, and whether that is more than chance."""
    spent = settings.ask * settings.rounds
    last = [a for a in arms if a.measure == HEADLINE and a.worth.spent == spent]
    if not last:
        return "no arm is finished"
    best = max(last, key=lambda a: a.worth.difference.mean)
    gain = best.worth.difference
    paying = [a.arm for a in last if a.worth.verdict == "pays"]
    shown = (
        f"better than random beyond chance: {', '.join(paying)}" if paying else "no arm is shown to beat random labels"
    )
    rank = "best" if gain.mean > 0 else "no arm does better than random labels on average; best"
    said = (
        f"{rank} after {spent:,} labels is {best.arm} ({_signed(gain)} {MEASURES[HEADLINE]} against random labels, "
        f"{gain.n} replicas); {shown}"
    )
    paper = Arm("entropy", True)
    if best.arm != paper.name and paper in settings.arms:
        mine, theirs = _of(rows, best.strategy, best.map), _of(rows, paper.strategy, paper.map)
        both = [r for r in range(settings.seeds) if (r, spent) in mine and (r, spent) in theirs]
        against = mean_interval([mine[r, spent][HEADLINE] - theirs[r, spent][HEADLINE] for r in both])
        said += f"; against the paper's {paper.name} it has {_signed(against)}"
    return f"{said}. {len(last)} arms were compared: one interval in twenty misses by chance"


def _signed(gain: MeanInterval) -> str:
    """A paired difference with its interval: "+0.0021 (-0.0004 to +0.0046)"."""
    if np.isnan(gain.lo):
        return f"{gain.mean:+.4f}"
    return f"{gain.mean:+.4f} ({gain.lo:+.4f} to {gain.hi:+.4f})"

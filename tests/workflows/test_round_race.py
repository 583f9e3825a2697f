"""A race selects what the full committee does, with fewer answers, however often it is killed on its way.

The networks are really trained, and the pool is made of vectors, noisy copies and faint copies of them, so that there
are disputed rows and rows to drop. Tasks run in this process; with workers they do in ``e2e/test_rounds.py``.
"""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

import storage.runs as runs_store
import storage.shards as shards
from qnet_tui.active_learning.calls import call_classes, call_counts
from qnet_tui.active_learning.pool import Pool
from qnet_tui.active_learning.race.far import call_margins
from qnet_tui.active_learning.race.sound import sound_rule
from qnet_tui.active_learning.selection import select
from qnet_tui.compute.tasks import Outcome
from qnet_tui.errors import QnetError
from qnet_tui.workflows.presets import recorded_settings
from qnet_tui.workflows.progress import silent
from qnet_tui.workflows.race_tasks import race_block
from qnet_tui.workflows.round_files import RoundFiles, committee_members, read_npz, write_once
from qnet_tui.workflows.round_plan import make_plan, pool_vectors, read_pool, selection_settings, write_pool
from qnet_tui.workflows.round_race import handfuls, score_round, why_full
from qnet_tui.workflows.round_runner import Clock, RoundTask, Runner
from qnet_tui.workflows.round_scores import complete_answers, pool_scores
from qnet_tui.workflows.run_al import _trained
from qnet_tui.workflows.run_al_tasks import Done
from qnet_tui.workflows.score_tasks import settled_precision
from storage.workspace import Workspace
from tests.small_campaign import tiny_round

NETWORKS = 16
ROWS = 600


class Killed(BaseException):
    """The driver died."""


@dataclass
class InThisProcess:
    """Stands in for the workers: runs tasks at once, and dies after ``lives`` of them."""

    lives: float = float("inf")
    ran: int = 0

    def __call__(self, tasks, _workers, on_done, *, stop):
        for task in tasks:
            if stop():
                return
            if self.ran >= self.lives:
                raise Killed
            self.ran += 1
            try:
                on_done(Outcome(task.name, task.function(**task.arguments)))
            except QnetError as error:
                on_done(Outcome(task.name, error=str(error), exit_code=1))


def committee_of(**changes):
    return tiny_round(
        networks=NETWORKS, epochs=12, learning_rate=8e-3, select=3, seed=5, block_rows=250, precision="float32",
        c_threshold=0.7, map_side=3, percentile=30.0, **changes,
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained(ready, tmp_path_factory):
    """A round whose committee is trained and whose pool has repeats of objects and rows that the map rejects."""
    root = Path(shutil.copytree(ready, tmp_path_factory.mktemp("race") / "ws"))
    settings = committee_of()
    with Workspace.open(root) as ws, pytest.MonkeyPatch.context() as patch:
        patch.setattr("qnet_tui.workflows.round_runner.run_tasks", InThisProcess())
        files = RoundFiles(ws.round_dir(1))
        files.make_folders(NETWORKS)
        make_plan(ws, files, settings, 1, silent)
        runner = new_runner(ws, settings)
        members, failed = _trained(runner, files, 1, settings, "log")
        assert (members, failed) == (list(range(NETWORKS)), {})
        larger_pool(ws, files)
    return root


def larger_pool(ws, files):
    """Vectors, noisy and faint copies of them; every third object has two rows, and cell 0 of four is rejected."""
    x = pool_vectors(files, slice(None))
    rng = np.random.default_rng(8)
    noise = rng.standard_normal((ROWS - len(x), x.shape[1]), dtype=np.float32)
    copies = x[rng.integers(len(x), size=len(noise))]
    faint = np.arange(len(copies)) >= 200
    copies = np.where(faint[:, None], np.float32(0.2) * copies + noise, copies + np.float32(0.3) * noise)
    shard = shards.write_shard(ws, np.concatenate([x, copies]).astype(np.float32), "log")
    object_key = np.arange(ROWS, dtype=np.int64) + 1000
    object_key[::6] = object_key[1::6]
    flags = {name: np.zeros(ROWS, dtype=bool) for name in ("labelled", "queued", "excluded", "arm_missing")}
    pool = Pool(
        row_id=np.arange(ROWS, dtype=np.int64) + 1, object_key=object_key, targetid=object_key + 5,
        target=np.ones(ROWS, dtype=bool), coadd=np.ones(ROWS, dtype=bool), expid=np.full(ROWS, -1, dtype=np.int64),
        file_order=np.zeros(ROWS, dtype=np.int32), hdu_row=np.arange(ROWS, dtype=np.int64),
        where=np.ones(ROWS, dtype=bool), **flags,
    )  # fmt: skip
    lies = {"shard_id": np.full(ROWS, shard), "shard_row": np.arange(ROWS)}
    cells = rng.integers(4, size=ROWS)
    rejected = np.array([True, False, False, False])
    write_pool(ws, files, lies, pool, np.ones(ROWS, dtype=bool), cells, np.bincount(cells), rejected)


def new_runner(ws, settings):
    run = runs_store.new_run(ws, "run-al", settings.as_dict(), {}, seed=1, round=1, command="")
    return Runner(ws, run, None, Clock(ws, run, {}, silent, lambda: False, f"qnet run-al --resume {run}"))


def score(root, settings, kill_after=float("inf")):
    """Score the trained round at ``root`` anew with other settings: (files, what was scored, selection)."""
    workers = InThisProcess()
    with Workspace.open(root) as ws, pytest.MonkeyPatch.context() as patch:
        patch.setattr("qnet_tui.workflows.round_runner.run_tasks", workers)
        files = RoundFiles(ws.round_dir(1))
        shutil.rmtree(files.root / "scores")
        files.make_folders(NETWORKS)
        runner = new_runner(ws, settings)
        while True:
            workers.lives, workers.ran = kill_after, 0
            try:
                scored = score_round(runner, files, list(range(NETWORKS)), settings, 1, "log")
            except Killed:
                continue
            break
        pool, on_map = read_pool(files)
        return files, scored, select(pool, scored.said.scores, selection_settings(settings), on_map)


@pytest.fixture(scope="module")
def full(trained):
    """Scores and selection of all networks, with two outliers."""
    _, scored, selection = score(trained, committee_of(race="full", outliers=2))
    return scored, selection


@pytest.fixture(scope="module")
def sound(trained, full):
    """Files, scores and selection of the sound race; never change them."""
    return score(trained, committee_of(outliers=2))


@pytest.fixture
def copied(sound, tmp_path):
    """A copy of the files of the sound race."""
    return RoundFiles(Path(shutil.copytree(sound[0].root, tmp_path / "rounds" / "001")))


def test_full_asks_everybody(full):
    scored, _ = full
    assert scored.race == {"rule": "full", "why": "as asked"}
    assert scored.said.evaluations == ROWS * NETWORKS
    assert not scored.said.stopped.any()
    # Otherwise there would be nothing to race for.
    assert (scored.said.scores.entropy < 0.6).mean() > 0.5
    assert np.sort(scored.said.scores.entropy)[-30] > 0.9


@pytest.mark.parametrize("rule", ["sound", "exact", "calibrated"])
def test_a_race_selects_what_the_full_committee_does(trained, sound, full, rule, tmp_path):
    _, scored, selection = sound
    if rule != "sound":
        root = Path(shutil.copytree(trained, tmp_path / "ws"))
        _, scored, selection = score(root, committee_of(race=rule, outliers=2))
    everything, wanted = full
    assert selection.picks == wanted.picks
    assert len(selection.picks) == 5
    assert {p.n_networks for p in selection.picks} == {NETWORKS}
    said = scored.said
    assert said.evaluations < 0.9 * ROWS * NETWORKS
    assert np.array_equal(np.isnan(said.scores.score), said.stopped)
    # Whoever was asked to the end says what everybody said; of the others what the first of an order did.
    whole = ~said.stopped
    assert np.array_equal(said.scores.counts[whole], everything.said.scores.counts[whole])
    assert np.array_equal(said.scores.n_networks, said.asked)
    assert (said.scores.counts <= everything.said.scores.counts).all()
    race = scored.race
    assert race["rule"] == ("sound" if "too few" in race["note"] else rule)
    assert race["h_low"] <= selection.entropy_cut
    # Of a pool this small the calibration asks two thirds to the end.
    assert race["saving"] > (1.01 if rule == "calibrated" else 1.1)
    assert race["bound"] >= race["saving"] or rule != "sound"
    assert race["found"] == 3
    assert 0 <= race["expected_lost"] <= 3 * 1.1e-3 or rule == "calibrated"
    assert race["evaluations"] + race["outliers"]["evaluations"] == said.evaluations
    assert race["pilot"] == (0 if rule != "calibrated" else 300)


def test_rows_far_from_any_other_call_leave_after_the_opening(trained, full, tmp_path, monkeypatch):
    # This pool is too small to calibrate on: the looks are given.
    def given(networks, h_low, *, calls, margins, finals, rows_of_object, k, **_):
        assert calls.shape == margins.shape == (len(finals), networks)
        assert np.array_equal(call_counts(calls), finals)
        assert set(rows_of_object.tolist()) == {1, 2}
        assert k > 3
        return replace(sound_rule(networks, h_low), kind="calibrated", far=((4, 0.5), (6, 0.25)))

    monkeypatch.setattr("qnet_tui.workflows.round_race.calibrated_rule", given)
    root = Path(shutil.copytree(trained, tmp_path / "ws"))
    files, scored, selection = score(root, committee_of(race="calibrated", outliers=2))
    everything, wanted = full
    assert selection.picks == wanted.picks
    said = scored.said
    left = np.flatnonzero(said.asked == 4)
    # The pilot and the candidates are most of a pool this small.
    assert len(left) >= 10
    assert (said.scores.counts[left].max(axis=1) == 4).all()
    assert set(np.unique(said.asked)) >= {4, 16}
    assert np.array_equal(said.scores.n_networks, said.asked)
    assert (said.scores.counts <= everything.said.scores.counts).all()
    assert scored.race["far"] == ((4, 0.5), (6, 0.25))
    assert scored.race["expected_lost"] >= 0
    # Who left is who was far: by the answers of the opening, which lie in the round.
    race = files.race("regular")
    rows, starts = np.load(race.rows), np.load(race.starts)
    opening = read_npz(race.opening(0))
    edges = {"c_threshold": committee_of().c_threshold, "z_split": committee_of().z_split}
    calls = call_classes(opening["c"], opening["z"], **edges)
    agreed = (calls == calls[:, :1]).all(axis=1)
    far = call_margins(opening["c"], opening["z"], **edges).min(axis=1) > 0.5
    free = ~np.isin(rows[: starts[1]], read_npz(race.candidates)["rows"])
    assert np.array_equal(np.flatnonzero(~agreed), opening["disputed"])
    assert np.array_equal(said.asked[rows[: starts[1]]][free] == 4, (agreed & far)[free])


def test_answers_of_whoever_was_asked_to_the_end_can_be_read(sound):
    settings = committee_of()
    files, scored, _ = sound
    said = scored.said
    seen = np.zeros(ROWS, dtype=int)
    for part in complete_answers(files, scored.members, settings, ROWS):
        assert part.c_qso.shape == part.zbest.shape == (len(part.rows), NETWORKS)
        high = (part.c_qso > np.float32(settings.c_threshold)) & (part.zbest >= np.float32(settings.z_split))
        assert np.array_equal(high.sum(axis=1), said.scores.counts[part.rows, 2])
        seen[part.rows] += 1
    assert np.array_equal(seen == 1, ~said.stopped)
    assert seen.max() == 1


def test_a_race_that_is_killed_again_and_again_ends_as_one_that_was_not(trained, sound, tmp_path):
    _, straight, wanted = sound
    root = Path(shutil.copytree(trained, tmp_path / "ws"))
    _, killed, selection = score(root, committee_of(outliers=2), kill_after=5)
    assert selection == wanted
    assert np.array_equal(killed.said.asked, straight.said.asked)
    assert np.array_equal(killed.said.scores.counts, straight.said.scores.counts)
    assert killed.race == straight.race


def test_the_committee_that_began_a_race_ends_it(trained, sound):
    files, scored, _ = sound
    settings = committee_of(outliers=2)
    assert committee_members(files) == list(range(NETWORKS))
    with Workspace.open(trained) as ws, pytest.MonkeyPatch.context() as patch:
        patch.setattr("qnet_tui.workflows.round_runner.run_tasks", InThisProcess())
        again = score_round(new_runner(ws, settings), files, scored.members[:-1], settings, 1, "log")
    assert again.members == scored.members
    assert np.array_equal(again.said.asked, scored.said.asked)


def test_a_task_done_twice_changes_nothing(sound):
    files, _, _ = sound
    target = files.race("regular").block(0)
    before = target.stat().st_mtime_ns
    done = race_block(str(files.root), "regular", 0, committee_of(outliers=2).as_dict(), "log")
    assert (done.path, target.stat().st_mtime_ns) == (str(target), before)
    assert done.detail["evaluations"] > 0


def test_damaged_scores_are_named_in_one_line(copied):
    target, members = copied.race("regular").block(1), list(range(NETWORKS))
    target.write_bytes(target.read_bytes()[:500])
    with pytest.raises(QnetError, match=r"blocks/00001\.npz.*damaged"):
        pool_scores(copied, members, np.arange(ROWS), committee_of())
    target.unlink()
    with pytest.raises(QnetError, match=r"00001\.npz.*gone"):
        pool_scores(copied, members, np.arange(ROWS), committee_of())


def test_a_damaged_network_is_trained_again(trained, tmp_path, monkeypatch):
    root = Path(shutil.copytree(trained, tmp_path / "ws"))
    monkeypatch.setattr("qnet_tui.workflows.round_runner.run_tasks", InThisProcess())
    settings = committee_of()
    with Workspace.open(root) as ws:
        files = RoundFiles(ws.round_dir(1))
        runner = new_runner(ws, settings)
        _trained(runner, files, 1, settings, "log")
        whole = files.network(4).read_bytes()
        files.network(4).write_bytes(whole[: len(whole) // 2])
        members, failed = _trained(runner, files, 1, settings, "log")
        assert (len(members), failed) == (NETWORKS, {})
        assert len(files.network(4).read_bytes()) == len(whole)
        assert runner.damaged("train") == []
        assert "trained again" in files.log.read_text()


def test_who_races(trained):
    with Workspace.open(trained) as ws:
        pool, on_map = read_pool(RoundFiles(ws.round_dir(1)))
    settings = committee_of()
    assert why_full(settings, NETWORKS, pool, on_map) == ""
    assert why_full(replace(settings, race="full"), NETWORKS, pool, on_map) == "as asked"
    assert "bald needs every answer" in why_full(replace(settings, strategy="bald"), NETWORKS, pool, on_map)
    assert "fewer than 16" in why_full(settings, 15, pool, on_map)
    assert "nearly every object" in why_full(replace(settings, select=600), NETWORKS, pool, on_map)


def test_tasks_are_neither_too_few_nor_too_many():
    assert handfuls(range(6), 1) == [[0], [1], [2], [3], [4], [5]]
    assert [len(some) for some in handfuls(range(200), 180)] == [8] * 25
    assert [m for some in handfuls(range(17), 40) for m in some] == list(range(17))


def fails(name: str) -> Done:
    raise QnetError(f"{name} is out of reach")


def test_a_task_that_fails_three_times_ends_the_run_with_one_line(workspace, monkeypatch):
    workers = InThisProcess()
    monkeypatch.setattr("qnet_tui.workflows.round_runner.run_tasks", workers)
    with Workspace.open(workspace) as ws:
        runner = new_runner(ws, committee_of())
        with pytest.raises(QnetError, match=r"1 of 1 tasks of racing failed; race 1: it is out of reach.*--resume al-"):
            runner.run_all([RoundTask("race 1", fails, {"name": "it"})], "racing")
        assert workers.ran == 3
        # When everything fails, not everything is tried.
        workers.ran = 0
        with pytest.raises(QnetError, match="16 of 90"):
            runner.run_all([RoundTask(f"race {n}", fails, {"name": "it"}) for n in range(90)], "racing")
        assert workers.ran == 16


def test_the_first_to_score_chooses_the_precision_for_all(tmp_path):
    files = RoundFiles(tmp_path)
    assert settled_precision(files, committee_of(strategy="bald")) == "float32"
    assert not files.precision.exists()
    assert settled_precision(files, replace(committee_of(), precision="bfloat16")) == "bfloat16"
    assert settled_precision(files, committee_of()) == "bfloat16"
    assert write_once(files.precision, "float32") == "bfloat16"
    assert [path.name for path in files.precision.parent.iterdir()] == ["precision"]


def test_a_run_of_version_0_1_goes_on_as_it_began():
    recorded = committee_of().as_dict()
    for name in ("train_engine", "map_engine", "precision", "race", "race_delta"):
        del recorded[name]
    s = recorded_settings(recorded)
    assert (s.train_engine, s.map_engine, s.precision, s.race) == ("keras", "minisom", "float32", "full")
    assert recorded_settings(committee_of().as_dict()) == committee_of()


def test_candidates_keep_what_the_opening_said(sound):
    race = sound[0].race("regular")
    chosen = read_npz(race.candidates)
    for member in np.unique(chosen["opened"]):
        row, place = np.nonzero(chosen["opened"] == member)
        assert len(row)
        assert np.array_equal(np.load(race.candidate(member))[row, 0], chosen["c"][row, place])

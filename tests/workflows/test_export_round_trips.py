"""What is exported and imported into a fresh workspace is exported again as the same bytes."""

import shutil
from pathlib import Path

import pytest

import storage.rounds as rounds_store
import storage.settings as campaign
import storage.spectra as spectra_store
from qnet_tui.errors import BadInput
from qnet_tui.workflows.export import export
from qnet_tui.workflows.given_round import open_round, unscored
from qnet_tui.workflows.import_votes import import_votes
from qnet_tui.workflows.ingest import ingest
from qnet_tui.workflows.initialise import initialise
from qnet_tui.workflows.merge import accept_agreed
from qnet_tui.workflows.progress import silent
from qnet_tui.workflows.truth import import_truth
from storage.inspectors import add_inspector
from storage.votes import Vote, commit_vote, withdraw_vote
from storage.workspace import Workspace

COMMENTS = ("", 'Lyα, "broad" at 4000 Å', "none", "-", "x" * 300, " = 3; ü", "two, commas, here", "--", "masked")


def uid(number: int) -> str:
    return f"{number:032x}"


def vote_on_everything(root: Path, codes: tuple[str, ...] = ("ABC", "DEF")) -> None:
    """Votes of all kinds on two rounds: superseded, taken back, given again, without z, without class."""
    with Workspace.open(root) as ws:
        ids = [int(o["id"]) for o in spectra_store.objects(ws)][:9]
        open_round(ws, [unscored(o, "", "list", entropy=0.1 * o) for o in ids[:6]], 6, silent)
        open_round(ws, [unscored(o, "", "random") for o in ids[6:]], 3, silent)
        for number, code in enumerate(codes):
            add_inspector(ws, code, code.lower())
            for place, object_id in enumerate(ids):
                made = Vote(
                    uid(100 * number + place + 1), 1 if place < 6 else 2, object_id, code, "QSO", 2.1 + place / 7,
                    4 - place % 2, "RC"[: place % 3], COMMENTS[place], "fit" if place % 2 else "typed", 41.25,
                    blind_peers=True, blind_model=place == 1, tags="masked" if place == 2 else "", app_version="0.1",
                    committed_at=f"2026-03-0{number + 1}T12:00:{place:02d}.5Z", z_error=1e-4 if place % 2 else None,
                )  # fmt: skip
                commit_vote(ws, made)
        first = codes[0]
        later = {"committed_at": "2026-03-05T00:00:00Z"}
        commit_vote(ws, Vote(uid(901), 1, ids[0], first, "STAR", 0.0, 3, **later))
        withdraw_vote(ws, uid(2), first)
        withdraw_vote(ws, uid(3), first)
        commit_vote(ws, Vote(uid(903), 1, ids[2], first, "GALAXY", 0.2, 2, **later))
        commit_vote(ws, Vote(uid(904), 1, ids[3], first, None, None, 0, comment="noise", **later))


@pytest.fixture(scope="module")
def voted(ready, tmp_path_factory):
    root = Path(shutil.copytree(ready, tmp_path_factory.mktemp("voted") / "ws"))
    vote_on_everything(root)
    return root


@pytest.fixture
def fresh(ready, tmp_path):
    return Path(shutil.copytree(ready, tmp_path / "another"))


def test_our_own_file_of_votes(voted, fresh, tmp_path):
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    assert export(voted, "votes", one).rows == 21
    said = import_votes(fresh, one)
    assert (said.dialect, said.added, said.rejected, said.rounds) == ("ours", 21, [], {1: 15, 2: 6})
    assert export(fresh, "votes", two).rows == 21
    assert two.read_bytes() == one.read_bytes()
    assert import_votes(fresh, one).added == 0
    assert import_votes(voted, one).added == 0
    assert (export(fresh, "votes", two), two.read_bytes()) == (export(fresh, "votes", two), one.read_bytes())
    with Workspace.open(fresh) as ws:
        assert [(r.rank, r.entropy) for r in rounds_store.selection(ws, 1)][1] == (2, 0.2)


def test_ranks_with_gaps_and_objects_that_were_withdrawn_and_asked_for_again(ready, fresh, tmp_path):
    root = Path(shutil.copytree(ready, tmp_path / "ws"))
    with Workspace.open(root) as ws:
        ids = [int(o["id"]) for o in spectra_store.objects(ws)][:5]
        add_inspector(ws, "ABC", "abc")
        open_round(ws, [unscored(o, "", "list") for o in ids], 5, silent)
        for number, place in ((1, 1), (2, 3), (3, 4)):
            commit_vote(ws, Vote(uid(number), 1, ids[place], "ABC", "QSO", 2.0, 4))
        rounds_store.withdraw(ws, 1, ids[3:], "bad sky", "me")
        open_round(ws, [unscored(ids[3], "", "list")], 1, silent)
        commit_vote(ws, Vote(uid(4), 2, ids[3], "ABC", "STAR", 0.0, 4))
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    export(root, "votes", one)
    ranks = {line.rsplit(",", 1)[1]: line.split(",")[4:6] for line in one.read_text().splitlines()[1:]}
    assert ranks == {uid(1): ["1", "2"], uid(2): ["1", "4"], uid(3): ["1", "5"], uid(4): ["2", "1"]}
    assert import_votes(fresh, one).rejected == []
    export(fresh, "votes", two)
    assert two.read_bytes() == one.read_bytes()


def test_our_own_file_after_an_editor_had_it(voted, fresh, tmp_path):
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    export(voted, "votes", one)
    content = one.read_bytes()
    one.write_bytes(b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n"))
    assert import_votes(fresh, one).added == 21
    export(fresh, "votes", two)
    assert two.read_bytes() == content


def test_prospects_files(voted, fresh, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "back").mkdir()
    made = export(voted, "votes", tmp_path / "out", format="prospect")
    assert [place.name for place in made.files] == ["desi-vi_ws_ABC.csv", "desi-vi_ws_DEF.csv"]
    assert made.rows == 17
    assert made.notes == ("2 comments were cut to the 100 signs of this format; --format ours keeps them",)
    for place in made.files:
        said = import_votes(fresh, place)
        assert said.rejected == []
    export(fresh, "votes", tmp_path / "back", format="prospect")
    for code in ("ABC", "DEF"):
        before = (tmp_path / "out" / f"desi-vi_ws_{code}.csv").read_bytes()
        assert (tmp_path / "back" / f"desi-vi_another_{code}.csv").read_bytes() == before
        assert before.isascii()
    with pytest.raises(BadInput, match=r"votes of ABC, DEF.*--inspector CODE"):
        export(voted, "votes", tmp_path / "x.csv", format="prospect")
    assert export(voted, "votes", tmp_path / "x.csv", format="prospect", inspector="abc", round_number=2).rows == 3
    assert (tmp_path / "x.csv").read_text().count("\n") == 4


@pytest.fixture(scope="module")
def merged(ready, tmp_path_factory):
    """One voter whose labels became truth, one of them without class and redshift."""
    root = Path(shutil.copytree(ready, tmp_path_factory.mktemp("merged") / "ws"))
    vote_on_everything(root, codes=("ABC",))
    with Workspace.open(root) as ws:
        campaign.set_setting(ws, "votes_required", 1, by="test")
    assert accept_agreed(root, "abc", unseen=True).merged == 8
    return root


@pytest.mark.parametrize("form", ["quasarnet", "desi-merged", "edr"])
def test_truth_for_others(merged, survey, tmp_path, form):
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    made = export(merged, "truth", one, format=form)
    bare = tmp_path / "bare"
    initialise(bare)
    ingest(bare, [str(survey)], jobs=1)
    said = import_truth(bare, one)
    assert (said.imported, said.rejected, said.unmatched) == (made.rows, [], 0)
    export(bare, "truth", two, format=form)
    assert two.read_bytes() == one.read_bytes()


@pytest.mark.parametrize("form", ["ours", "desi-merged", "quasarnet", "edr"])
def test_merged_labels_come_back_as_the_same_truth(merged, survey, tmp_path, form):
    made = export(merged, "merged", tmp_path / "merged.csv", format=form)
    assert made.rows == (7 if form == "quasarnet" else 8)
    bare = tmp_path / "bare"
    initialise(bare)
    ingest(bare, [str(survey)], jobs=1)
    assert import_truth(bare, tmp_path / "merged.csv").imported == made.rows
    both = []
    for root in (merged, bare):
        export(root, "truth", tmp_path / "truth.csv")
        table = [line.split(",") for line in (tmp_path / "truth.csv").read_text().splitlines()[1:]]
        both.append({row[1]: row[3:6] for row in table})
    assert both[1].items() <= both[0].items()


def test_the_same_database_gives_the_same_bytes(voted, merged, tmp_path):
    for root, kind, form in [
        (voted, "votes", "ours"), (voted, "events", "ours"), (merged, "merged", "ours"), (merged, "merged", "csv"),
        (merged, "merged", "desi-merged"), (merged, "truth", "ours"), (merged, "truth", "edr"),
    ]:  # fmt: skip
        export(root, kind, tmp_path / "a.csv", format=form)
        export(root, kind, tmp_path / "b.csv", format=form)
        assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_what_cannot_be_exported(voted, tmp_path):
    with pytest.raises(BadInput, match="choose ours, prospect"):
        export(voted, "votes", tmp_path / "x.csv", format="edr")
    with pytest.raises(BadInput, match="no inspector XYZ; there are ABC, DEF"):
        export(voted, "votes", tmp_path / "x.csv", inspector="XYZ")
    with pytest.raises(BadInput, match="no round 9"):
        export(voted, "votes", tmp_path / "x.csv", round_number=9)
    with pytest.raises(BadInput, match="goes with votes"):
        export(voted, "merged", tmp_path / "x.csv", inspector="ABC")
    assert not (tmp_path / "x.csv").exists()


def test_events_tell_who_did_what(voted, tmp_path):
    export(voted, "events", tmp_path / "e.csv")
    lines = (tmp_path / "e.csv").read_text().splitlines()
    assert lines[0] == "SURVEY,ID,TARGETID,round,at,what,by,entry,uid,body"
    what = [line.split(",")[5] for line in lines[1:]]
    assert (what.count("inspector"), what.count("vote"), what.count("withdraw")) == (2, 21, 2)


def test_real_spectra_of_both_surveys(shared_data, tmp_path):
    """A workspace of DESI and SDSS files, votes on all, out and in again under another name."""
    sources = [
        *sorted((shared_data / "sdss" / "spectra").rglob("spec-*.fits*"))[:4],
        *sorted((shared_data / "desi" / "picca").rglob("coadd*.fits*"))[:1],
    ]
    roots = [tmp_path / "here", tmp_path / "there"]
    for root in roots:
        initialise(root)
        ingest(root, [str(path) for path in sources], jobs=1)
    vote_on_everything(roots[0])
    import_votes_and_compare(roots, tmp_path, "ours")
    shutil.rmtree(roots[1])
    initialise(roots[1])
    ingest(roots[1], [str(path) for path in sources], jobs=1)
    import_votes_and_compare(roots, tmp_path, "prospect")


def import_votes_and_compare(roots, folder, form):
    files = [folder / f"{form}-{number}.csv" for number in range(2)]
    for root, path in zip(roots, files, strict=True):
        export(root, "votes", path, format=form, inspector="ABC")
        if root == roots[0]:
            assert import_votes(roots[1], path).rejected == []
    assert files[0].read_bytes() == files[1].read_bytes()
    assert b"sdss" in files[0].read_bytes().lower()

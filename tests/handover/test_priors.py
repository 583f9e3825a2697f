"""Whom redrock is asked again about, and how wide the priors are, against tables written by hand."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from qnet_tui.errors import BadInput
from qnet_tui.handover.pipelines import PIPELINES, RULES, pipeline_named, rule_named
from qnet_tui.handover.priors import needs_rerun, prior_columns, prior_width, width_factor, write_priors
from qnet_tui.quasarnet.boxes import is_quasar
from qnet_tui.spectra.grids import grid_named
from tests.handover.qn_rr_reader import read_priors

Z_QN = 2.0
HALF = {"current": 0.16287 * 3 / 2, "dr1": 0.05}  # half the width at z = 2, by hand

# What redrock said and how far off, of targets whose best line has c = 0.51: is redrock asked again?
ASKED = {
    "desispec": {
        ("QSO", "same"): False, ("QSO", "near"): False, ("QSO", "far"): True, ("QSO", "unknown"): True,
        ("GALAXY", "same"): True, ("GALAXY", "near"): True, ("GALAXY", "far"): True, ("GALAXY", "unknown"): True,
        ("STAR", "same"): True, ("STAR", "near"): True, ("STAR", "far"): True, ("STAR", "unknown"): True,
        ("", "same"): True, ("", "near"): True, ("", "far"): True, ("", "unknown"): True,
    },
    "paper": {
        ("QSO", "same"): False, ("QSO", "near"): False, ("QSO", "far"): False, ("QSO", "unknown"): False,
        ("GALAXY", "same"): True, ("GALAXY", "near"): True, ("GALAXY", "far"): True, ("GALAXY", "unknown"): True,
        ("STAR", "same"): False, ("STAR", "near"): False, ("STAR", "far"): False, ("STAR", "unknown"): False,
        ("", "same"): False, ("", "near"): False, ("", "far"): False, ("", "unknown"): False,
    },
}  # fmt: skip


@pytest.mark.parametrize(("name", "factor"), [("log", 0.16287), ("linear", 0.16042)])
def test_the_width_factor_of_both_published_grids(name: str, factor: float):
    assert width_factor(grid_named(name).wave) == pytest.approx(factor, abs=5e-6)


def test_widths_are_full_and_grow_with_redshift_today_and_are_constant_in_dr1():
    z = np.array([0.0, 1.0, 2.5])
    assert prior_width(z, PIPELINES["current"], 0.16).tolist() == pytest.approx([0.16, 0.32, 0.56])
    assert prior_width(z, PIPELINES["dr1"], 0.16).tolist() == [0.1, 0.1, 0.1]


@pytest.mark.parametrize("pipeline", ["current", "dr1"])
@pytest.mark.parametrize("rule", RULES)
def test_the_whole_table_of_the_rule(pipeline: str, rule: str):
    apart = {"same": 0.0, "near": HALF[pipeline] - 1e-3, "far": HALF[pipeline] + 1e-3, "unknown": np.nan}
    cases = list(
        product(("QSO", "GALAXY", "STAR", ""), apart, (0.49, 0.5, 0.51, np.nan), ("TGT", "SKY", "BAD", ""), (-1, 1))
    )
    c = np.zeros((6, len(cases)), dtype=np.float32)
    c[2] = [case[2] for case in cases]
    z_qn = np.where(np.isnan(c[2]), np.nan, Z_QN)
    got = needs_rerun(
        is_qso=is_quasar(c, PIPELINES[pipeline].c_threshold, PIPELINES[pipeline].n_lines),
        objtype=np.array([case[3] for case in cases]),
        spectype=np.array([case[0] for case in cases]),
        z_redrock=np.array([Z_QN + case[4] * apart[case[1]] for case in cases]),
        z_qn=z_qn,
        width=prior_width(z_qn, PIPELINES[pipeline], width_factor(grid_named("log").wave)),
        rule=rule_named(rule),
    )
    for case, asked in zip(cases, got.tolist(), strict=True):
        spectype, distance, confidence, objtype, _ = case
        expected = confidence == 0.51 and objtype == "TGT" and ASKED[rule][spectype, distance]
        assert asked == expected, case


def test_just_at_half_the_width_redrock_is_believed():
    # 0.5 and 0.25 are exact in binary, so the edge is met exactly.
    kind = {"is_qso": [True] * 3, "objtype": ["TGT"] * 3, "spectype": ["QSO"] * 3, "rule": "desispec"}
    got = needs_rerun(z_redrock=[2.25, 1.75, 2.2500001], z_qn=[2.0] * 3, width=[0.5] * 3, **kind)
    assert got.tolist() == [False, False, True]


def test_the_file_field_by_field(tmp_path: Path):
    path = tmp_path / "priors-1.fits"
    ids, z = np.array([39633493583464924, 7]), np.array([2.0, 0.5])
    columns = prior_columns(ids, z, prior_width(z, PIPELINES["current"], width_factor(grid_named("log").wave)))
    write_priors(path, columns, {"RULE": "desispec"})
    rows, header = read_priors(path)
    assert rows["TARGETID"].tolist() == [39633493583464924, 7]
    assert rows["FUNCTION"].tolist() == ["tophat", "tophat"]
    assert rows["Z"].tolist() == [2.0, 0.5]
    assert rows["SIGMA"].tolist() == pytest.approx([0.48861, 0.24431], abs=1e-5)
    assert header["RULE"] == "desispec"


def test_a_file_without_rows_is_a_file(tmp_path: Path):
    write_priors(tmp_path / "priors.fits", prior_columns([], [], []), {})
    assert len(read_priors(tmp_path / "priors.fits")[0]) == 0


def test_names_that_are_none(tmp_path: Path):
    with pytest.raises(BadInput, match="current or dr1"):
        pipeline_named("dr2")
    with pytest.raises(BadInput, match="desispec or paper"):
        rule_named("any")
    with pytest.raises(BadInput, match=r"\.fits"):
        write_priors(tmp_path / "priors.txt", prior_columns([], [], []), {})

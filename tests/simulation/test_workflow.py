"""``simulate_survey``: the workflow's typed face over the simulator."""

from pathlib import Path

import pytest

from qnet_tui.errors import BadInput
from qnet_tui.spectra.read import read_spectra
from qnet_tui.workflows.simulate import simulate_survey


def test_the_result_says_what_was_written(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    result = simulate_survey(tmp_path, 20, 3, rows_per_file=10, exposures=1, progress=lambda *said: told.append(said))
    assert told == [("simulate", 10, 20), ("simulate", 20, 20)]
    assert (result.folder, result.rows, result.seed) == (tmp_path, 20, 3)
    assert sum(result.by_class.values()) == 20
    assert len(result.files) == 6
    assert all(path.is_file() for path in (*result.files, result.truth_file, result.known_file))
    assert result.seconds > 0


def test_small_surveys_have_several_files_and_repeats(tmp_path: Path) -> None:
    result = simulate_survey(tmp_path, 42, 3, repeats=0.2)
    assert [len(read_spectra(path).rows) for path in result.files if path.name.startswith("coadd")] == [11, 11, 11, 9]
    assert result.objects < 42 - result.by_class["SKY"]


def test_options_reach_the_simulator(tmp_path: Path) -> None:
    result = simulate_survey(tmp_path, 30, 3, snr_median=12.0, z_quasar=(2.0, 2.2), compress=True, repeats=0.0)
    assert {path.suffix for path in result.files} == {".gz"}
    assert result.snr_percentiles[50] > 6
    rows = read_spectra(result.files[0]).rows
    quasars = rows[(rows["pipeline_class"] == "QSO") & (rows["pipeline_deltachi2"] > 2000)]
    assert ((quasars["pipeline_z"] > 1.99) & (quasars["pipeline_z"] < 2.21)).all()


def test_nonsense_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="rows"):
        simulate_survey(tmp_path / "out", 0, 1)
    assert not (tmp_path / "out").exists()

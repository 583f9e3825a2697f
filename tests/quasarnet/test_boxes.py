import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qnet_tui.quasarnet.boxes import (
    N_BOXES,
    box_edges,
    confidence_and_redshift,
    decode,
    encode,
    is_quasar,
)
from qnet_tui.quasarnet.lines import LINES, N_HEADS, N_LINES
from qnet_tui.spectra.grids import Grid, linear_grid, log_grid

GRIDS = [log_grid(), linear_grid()]
LYA = 1215.67


def one_answer(head: int, box: int, offset: float, confidence: float = 1.0) -> np.ndarray:
    heads = np.zeros((N_HEADS, 1, 2 * N_BOXES))
    heads[head, 0, box] = confidence
    heads[head, 0, N_BOXES + box] = offset
    return heads


@pytest.mark.parametrize("grid", GRIDS, ids=lambda g: g.name)
def test_decoding_a_target_gives_its_redshift_back(grid: Grid) -> None:
    z = np.linspace(-0.5, 7.5, 40_001)
    ones = np.ones(len(z), dtype=int)
    targets = encode(z, ones == 1, ones, grid, dtype=np.float64)
    decoded = decode(targets.values, grid)
    z_all = np.concatenate([decoded.z_line, decoded.z_line_bal])
    present = targets.values[..., :N_BOXES].sum(axis=2) == 1
    assert present.sum(axis=1).min() > 4000
    assert np.abs(z_all - z)[present].max() < 1e-12
    assert np.array_equal(np.concatenate([decoded.c_line, decoded.c_line_bal]), present.astype(float))


@given(z=st.floats(0.3, 6.9), grid=st.sampled_from(GRIDS))
def test_zbest_of_a_target_is_its_redshift(z: float, grid: Grid) -> None:
    targets = encode([z], [True], [0], grid, dtype=np.float64)
    assert abs(decode(targets.values, grid).zbest[0] - z) < 1e-12


def test_lyman_alpha_at_z_2_5() -> None:
    grid = log_grid()
    position = (np.log10(3.5 * LYA) - np.log10(3600)) * 1000 / 443 * 13  # By hand, apart from interpolation.
    values = encode([2.5], [True], [0], grid, dtype=np.float64).values[0, 0]
    box = int(position)
    assert pytest.approx(4254.845) == 3.5 * LYA
    assert values[:N_BOXES].tolist() == [float(k == box) for k in range(13)]
    assert values[N_BOXES + box] == pytest.approx(position - box, abs=1e-4)
    assert np.count_nonzero(values) == 2


@pytest.mark.parametrize(
    ("line", "low", "high"),
    [
        (0, 1.9613, 7.194),
        (1, 1.3253, 5.434),
        (2, 0.8861, 4.219),
        (3, 0.2874, 2.562),
        (4, -0.2597, 1.0485),
        (5, -0.4515, 0.5178),
    ],
)
def test_a_line_is_a_target_only_inside_the_grid(line: int, low: float, high: float) -> None:
    z = np.array([low - 1e-3, low + 1e-3, high - 1e-3, high + 1e-3])
    values = encode(z, np.ones(4, bool), np.zeros(4, int), log_grid()).values[line]
    assert values[:, :N_BOXES].sum(axis=1).tolist() == [0, 1, 1, 0]
    assert values[[0, 3]].sum() == 0


def test_both_ends_of_the_grid_are_inside() -> None:
    grid = log_grid()
    z = grid.wave[[0, -1]] / LYA - 1
    # The product (1 + z)·rest may fall one ulp outside: step inside by one.
    z = np.nextafter(z, 4.0)
    values = encode(z, [True, True], [0, 0], grid).values[0]
    assert values[0, 0] == 1
    assert values[1, N_BOXES - 1] == 1
    assert values[1, 2 * N_BOXES - 1] == pytest.approx(442 / 443 * 13 - 12, abs=1e-6)


def test_only_quasars_have_lines_and_the_bal_head_follows_its_truth() -> None:
    z = np.array([2.5, 2.5, 2.5, 2.5, np.nan])
    is_qso = np.array([True, True, True, False, True])
    targets = encode(z, is_qso, [1, -1, 0, 1, 0], log_grid())
    assert targets.values.dtype == np.float32
    assert targets.values.shape == (7, 5, 26)
    lines = targets.values[:N_LINES, :, :N_BOXES].sum(axis=(0, 2))
    assert lines.tolist() == [4, 4, 4, 0, 0]  # MgII is at 9787 Å, the Balmer lines are outside.
    assert targets.values[N_LINES, :, :N_BOXES].sum(axis=1).tolist() == [1, 0, 0, 0, 0]
    assert np.array_equal(targets.values[N_LINES, 0], targets.values[1, 0])
    assert targets.weights[:N_LINES].min() == 1
    assert targets.weights[N_LINES].tolist() == [1, 1, 0, 1, 0]
    assert targets.bal_known
    assert not targets.take(np.array([2, 4])).bal_known


def test_taking_rows_repeats_them() -> None:
    targets = encode([2.5, 1.0], [True, False], [0, 1], log_grid())
    taken = targets.take(np.array([1, 0, 1]))
    assert len(taken) == 3
    assert np.array_equal(taken.values[:, 0], targets.values[:, 1])
    assert taken.weights[N_LINES].tolist() == [1, 0, 1]


def test_arrays_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        encode([1.0, 2.0], [True], [0, 0], log_grid())


@pytest.mark.parametrize(
    ("box", "offset", "wavelength"),
    [(12, 0.5, 9599.84), (12, 1.1, 9960.98992), (12, -0.1, 9158.37), (0, -0.1, 3600.0)],
)
def test_decoding_clamps_at_the_ends_as_quasarnp_does(box: int, offset: float, wavelength: float) -> None:
    z = decode(one_answer(0, box, offset), log_grid()).z_line[0, 0]
    assert (1 + z) * LYA == pytest.approx(wavelength, abs=5e-3)


def test_decoding_can_continue_linearly_beyond_the_ends() -> None:
    grid = log_grid()
    above = decode(one_answer(0, 12, 1.1), grid, extrapolate=True).z_line[0, 0]
    index = 13.1 * 443 / 13
    expected = grid.wave[442] + (index - 442) * (grid.wave[442] - grid.wave[441])
    assert (1 + above) * LYA == pytest.approx(expected)
    below = decode(one_answer(0, 0, -0.1), grid, extrapolate=True).z_line[0, 0]
    assert (1 + below) * LYA == pytest.approx(3600 - 0.1 * 443 / 13 * (grid.wave[1] - 3600))
    inside = decode(one_answer(0, 5, 0.3), grid, extrapolate=True).z_line
    assert np.array_equal(inside, decode(one_answer(0, 5, 0.3), grid).z_line)


def test_answers_of_zeros_decode_to_lyman_alpha_at_the_blue_end() -> None:
    decoded = decode(np.zeros((7, 2, 26), dtype=np.float32), log_grid())
    assert decoded.c_line.tolist() == [[0, 0]] * 6
    assert decoded.zbest == pytest.approx([1.9613, 1.9613], abs=5e-5)


def test_ties_go_to_the_first_box_and_the_first_line() -> None:
    heads = one_answer(2, 4, 0.25, 0.7)
    heads[2, 0, 9] = 0.7
    heads[4, 0, 1] = 0.7
    decoded = decode(heads, log_grid())
    assert decoded.zbest[0] == decoded.z_line[2, 0]
    wave = np.interp(4.25 * 443 / 13, np.arange(443), log_grid().wave)
    assert decoded.z_line[2, 0] == pytest.approx(wave / LINES[2][1] - 1)


def test_the_bal_head_never_votes() -> None:
    heads = np.maximum(one_answer(1, 3, 0.5, 0.4), one_answer(6, 8, 0.5, 0.99))
    decoded = decode(heads, log_grid())
    assert decoded.c_line.shape == (6, 1)
    assert decoded.zbest[0] == decoded.z_line[1, 0]
    assert decoded.c_line_bal[0, 0] == pytest.approx(0.99)
    assert confidence_and_redshift(heads, log_grid())[0][0] == np.float32(0.4)


def test_the_quasar_rule_is_strict() -> None:
    c_line = np.array([[0.95, 0.96, 0.99], [0.1, 0.2, 0.96]] + [[0.0] * 3] * 4)
    assert is_quasar(c_line).tolist() == [False, True, True]
    assert is_quasar(c_line, n_lines=2).tolist() == [False, False, True]
    assert is_quasar(c_line, c_threshold=0.0, n_lines=3).tolist() == [False, False, False]


@pytest.mark.parametrize("grid", GRIDS, ids=lambda g: g.name)
@pytest.mark.parametrize("n_lines", [1, 2, 3, 6])
def test_one_confidence_holds_the_whole_quasar_rule(grid: Grid, n_lines: int) -> None:
    heads = np.random.default_rng(n_lines).random((7, 3000, 26), dtype=np.float32)
    heads[:, :, :N_BOXES] **= 8.0 / n_lines
    decoded = decode(heads, grid)
    c_qso, zbest = confidence_and_redshift(heads, grid, n_lines)
    assert c_qso.dtype == np.float32
    assert zbest.dtype == np.float64
    assert np.array_equal(zbest, decoded.zbest)
    for threshold in (0.3, 0.5, 0.95):
        expected = is_quasar(decoded.c_line, threshold, n_lines)
        assert np.array_equal(c_qso > threshold, expected)
    assert 0 < is_quasar(decoded.c_line, float(np.median(c_qso)), n_lines).sum() < 3000


def test_a_rule_of_seven_lines_is_refused() -> None:
    with pytest.raises(ValueError, match="6 lines"):
        confidence_and_redshift(np.zeros((7, 1, 26)), log_grid(), 7)


def test_box_edges() -> None:
    blue = [3600, 3893.85, 4211.69, 4555.47, 4927.31, 5329.51, 5764.53]
    red = [6235.07, 6744.01, 7294.49, 7889.90, 8533.92, 9230.51, 9983.95]
    assert box_edges(log_grid()) == pytest.approx([*blue, *red], abs=1e-2)
    assert box_edges(linear_grid()) == pytest.approx(3600 + np.arange(14) * 479.138, abs=1e-2)
    assert 2 * (10 ** (np.log10(log_grid().wave[-1] / 3600) / 13) - 1) == pytest.approx(0.16287, abs=1e-5)


def test_redshifts_are_decoded_at_the_box_edges() -> None:
    edges = [decode(one_answer(0, k, 0.0), log_grid()).z_line[0, 0] for k in range(13)]
    published = [1.961, 2.203, 2.465, 2.747, 3.053, 3.384, 3.742, 4.129, 4.548, 5.000, 5.490, 6.020, 6.593]
    assert edges == pytest.approx(published, abs=1e-3)

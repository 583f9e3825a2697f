import pytest

from qnet_tui.errors import BadInput
from qnet_tui.quasarnet.lines import BAL_LINES, LINE_NAMES, LINES
from qnet_tui.quasarnet.settings import (
    ENSEMBLE_TRAINING,
    FINAL_TRAINING,
    NetworkSettings,
    TrainingSettings,
)


def test_the_lines_are_those_of_the_published_weights_bit_for_bit() -> None:
    assert LINES == (
        ("LYA", 1215.67),
        ("CIV(1548)", 1548.2049),
        ("CIII(1909)", 1908.734),
        ("MgII(2796)", 2796.3511),
        ("Hbeta", 4862.68),
        ("Halpha", 6562.8),
    )
    assert BAL_LINES == (("CIV(1548)", 1548.2049),)
    assert LINE_NAMES == ("LYA", "CIV", "CIII", "MgII", "Hbeta", "Halpha")


@pytest.mark.parametrize(
    ("layers", "n_pixels", "padding", "lengths", "flat", "total", "trainable"),
    [
        (4, 443, "valid", (217, 104, 48, 20), 2000, 521_882, 520_882),
        (4, 458, "valid", (225, 108, 50, 21), 2100, 531_882, 530_882),
        (6, 443, "same", (222, 111, 56, 28, 14, 7), 700, 592_882, 591_482),
        (6, 458, "same", (229, 115, 58, 29, 15, 8), 800, 602_882, 601_482),
    ],
)
def test_lengths_and_parameters_of_the_published_shapes(
    layers: int, n_pixels: int, padding: str, lengths: tuple[int, ...], flat: int, total: int, trainable: int
) -> None:
    settings = NetworkSettings(layers=layers, n_pixels=n_pixels)
    assert settings.padding == padding
    assert settings.lengths == lengths
    assert settings.flat_size == flat
    assert settings.n_parameters == total
    assert settings.n_trainable == trainable


@pytest.mark.parametrize(
    "wrong",
    [
        {"layers": 0},
        {"filters": -1},
        {"kernel": 2.5},
        {"n_boxes": 0},
        {"dropout": 1.0},
        {"dropout": -0.1},
        {"layers": 5, "n_pixels": 100},
        {"layers": 4, "kernel": 2000},
    ],
)
def test_a_shape_that_is_no_network_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput, match=r"network setting|leave nothing"):
        NetworkSettings(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"batch": 0},
        {"n_lines": 0},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"learning_rate": float("inf")},
        {"keep": "first"},
    ],
)
def test_settings_that_are_no_training_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="training setting"):
        TrainingSettings(**{"epochs": 1, "learning_rate": 1e-3, **wrong})  # type: ignore[arg-type]


def test_dropout_alone_does_not_make_another_architecture() -> None:
    assert NetworkSettings(dropout=0.5).same_architecture(NetworkSettings())
    assert not NetworkSettings(filters=24).same_architecture(NetworkSettings())


def test_the_two_trainings_of_the_paper() -> None:
    assert (ENSEMBLE_TRAINING.epochs, ENSEMBLE_TRAINING.learning_rate, ENSEMBLE_TRAINING.batch) == (10, 2e-4, 256)
    assert (FINAL_TRAINING.epochs, FINAL_TRAINING.learning_rate, FINAL_TRAINING.keep) == (
        100,
        1e-3,
        "best-val-loss",
    )
    assert ENSEMBLE_TRAINING.amsgrad
    assert FINAL_TRAINING.amsgrad

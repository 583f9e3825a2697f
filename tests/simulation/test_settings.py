"""Settings that make no sense are refused in one line."""

import pytest

from qnet_tui.errors import BadInput
from qnet_tui.simulation.settings import ClassMix, SignalToNoiseMix, SimulationSettings


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"rows": 0}, "rows"),
        ({"seed": -1}, "seed"),
        ({"rows_per_file": 501}, "fibres"),
        ({"exposures": 51}, "exposures"),
        ({"repeats": 0.95}, "repeats"),
        ({"sky": -0.1}, "sky"),
        ({"lost_arm": 2.0}, "lost_arm"),
        ({"z_quasar": (3.0, 2.0)}, "redshifts"),
        ({"z_quasar": (0.01, 2.0)}, "redshifts"),
        ({"snr": SignalToNoiseMix(median=30.0)}, "S/N"),
        ({"snr": SignalToNoiseMix(star_factor=0.0)}, "factors"),
        ({"mix": ClassMix(quasar=-0.1)}, "mix"),
        ({"mix": ClassMix(0, 0, 0, 0, 0)}, "mix"),
    ],
)
def test_nonsense_is_refused(change: dict[str, object], word: str) -> None:
    with pytest.raises(BadInput, match=word) as caught:
        SimulationSettings(**change).checked()  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_shares_add_up_to_one() -> None:
    shares = ClassMix(quasar=2, galaxy=1, star=1, white_dwarf=0, junk=0).shares()
    assert shares == {"quasar": 0.5, "galaxy": 0.25, "star": 0.25, "white_dwarf": 0.0, "junk": 0.0}


def test_defaults_are_valid() -> None:
    settings = SimulationSettings()
    assert settings.checked() is settings

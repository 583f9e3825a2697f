"""What a simulated survey consists of: how many rows, of which classes, how deep, with which defects."""

from dataclasses import dataclass, field

from qnet_tui.errors import BadInput

Z_QUASAR_LIMITS = (0.05, 6.0)
"""The formulae of the quasar model hold between these redshifts."""


@dataclass(frozen=True)
class ClassMix:
    """Shares of the targets by kind; they need not add up to one, only their ratios count.

    ``junk`` is what no inspector can class: fibres on blank sky, steps between the arms, two objects in one
    fibre. White dwarfs are stars in every truth table; they have a share of their own because they are blue
    and mimic quasars in target selection.
    """

    quasar: float = 0.50
    galaxy: float = 0.27
    star: float = 0.14
    white_dwarf: float = 0.04
    junk: float = 0.05

    def shares(self) -> dict[str, float]:
        """The shares by kind, adding up to one; ``BadInput`` when one is negative or all are zero."""
        raw = {
            "quasar": self.quasar,
            "galaxy": self.galaxy,
            "star": self.star,
            "white_dwarf": self.white_dwarf,
            "junk": self.junk,
        }
        total = sum(raw.values())
        if min(raw.values()) < 0 or not total > 0:
            raise BadInput("the class mix has a negative share or no share at all", mend="give shares >= 0")
        return {kind: share / total for kind, share in raw.items()}


@dataclass(frozen=True)
class SignalToNoiseMix:
    """How bright the targets are: median S/N per native pixel of 0.8 Å, log-normal between two limits.

    ``median`` is that of quasars; ``scatter`` is the standard deviation of ln(S/N). Galaxies are fainter in
    the continuum, stars brighter, by the factors given, as among the targets of a quasar survey.
    """

    median: float = 1.5
    scatter: float = 1.0
    low: float = 0.1
    high: float = 20.0
    galaxy_factor: float = 0.8
    star_factor: float = 1.8


@dataclass(frozen=True)
class SimulationSettings:
    """Everything that decides the bytes of a simulated survey; the same settings give the same bytes.

    ``rows`` counts rows of the coadd files: targets, repeats and sky fibres together. ``repeats`` is the share
    of a file's rows that re-observe objects of the file before it. ``exposures`` > 0 also writes spectra-
    files in which every coadd row is that many exposures. ``sky`` is the share of fibres on blank sky.
    ``lost_arm`` and ``masked_stretch`` are shares of rows with one dead camera and with a long masked run.
    """

    rows: int = 500
    seed: int = 1
    mix: ClassMix = field(default_factory=ClassMix)
    snr: SignalToNoiseMix = field(default_factory=SignalToNoiseMix)
    z_quasar: tuple[float, float] = (0.1, 4.5)
    rows_per_file: int = 500
    repeats: float = 0.05
    exposures: int = 0
    sky: float = 0.04
    lost_arm: float = 0.01
    masked_stretch: float = 0.03
    redrock: bool = True
    resolution: bool = False
    compress: bool = False
    first_tile: int = 80001
    night: int = 20260315
    survey: str = "main"
    program: str = "dark"

    def checked(self) -> "SimulationSettings":
        """Return the settings themselves, or raise ``BadInput`` naming the first value that makes no sense."""
        low, high = self.z_quasar
        shares = {
            "repeats": self.repeats,
            "sky": self.sky,
            "lost_arm": self.lost_arm,
            "masked_stretch": self.masked_stretch,
        }
        if self.rows < 1:
            raise BadInput(f"{self.rows} rows asked for", mend="ask for at least one row")
        if self.seed < 0:
            raise BadInput(f"seed {self.seed} is negative", mend="give a seed >= 0")
        if not 1 <= self.rows_per_file <= 500:
            raise BadInput(f"{self.rows_per_file} rows per file", mend="a petal has 1 to 500 fibres")
        if not 0 <= self.exposures <= 50:
            raise BadInput(f"{self.exposures} exposures", mend="give 0 (coadds only) to 50")
        for name, share in shares.items():
            if not 0 <= share <= 0.9:
                raise BadInput(f"{name} is {share}", mend="give a share between 0 and 0.9")
        if not Z_QUASAR_LIMITS[0] <= low < high <= Z_QUASAR_LIMITS[1]:
            raise BadInput(
                f"quasar redshifts from {low} to {high}",
                mend=f"stay between {Z_QUASAR_LIMITS[0]} and {Z_QUASAR_LIMITS[1]}, the lower one first",
            )
        if not 0 < self.snr.low <= self.snr.median <= self.snr.high or self.snr.scatter < 0:
            raise BadInput("the S/N mix needs 0 < low <= median <= high and scatter >= 0")
        if min(self.snr.galaxy_factor, self.snr.star_factor) <= 0:
            raise BadInput("the S/N factors of galaxies and stars must be positive")
        self.mix.shares()
        return self

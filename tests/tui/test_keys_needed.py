"""How many keys a redshift takes, from a right guess of the pipeline and from one that took Mg II for C IV.

Scripted as an inspector would do it, with the fit and the keys alone, on the real screen; simulated quasars come
from the sample that ships with the package, real ones from SDSS with their visual redshifts.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

import storage.votes as store
from qnet_tui.inspection.answer import Refused
from qnet_tui.spectra.read import read_spectra
from qnet_tui.spectra.single import Spectrum, extract
from qnet_tui.spectral_lines.identification import BY_NAME, NAMEABLE, Nameable
from qnet_tui.workflows.label_item import Item, fitted, item_of
from storage.workspace import Workspace
from tests.tui.campaign import make_workspace
from tests.tui.conftest import Open, opened

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"
LIGHT_KMS = 299792.458
FROM_A_RIGHT_GUESS, FROM_A_CONFUSED_ONE = 6, 12
# A redshift that the merging rule calls the same: dz 0.0033.
SAME_KMS = 989.0
# A peak this near to where a line must be is that line (2400 km/s: C IV is blueshifted against the rest).
NEAR = 0.008

Quasar = tuple[Spectrum, float]


def sample_quasars() -> list[Quasar]:
    """The simulated quasars with S/N 3 and more, each with its true redshift."""
    with (SAMPLE / "known.csv").open() as stream:
        known = [row for row in csv.DictReader(stream) if row["CLASS"] == "QSO" and float(row["SNR"]) >= 3]
    found: list[Quasar] = []
    for name in sorted({row["FILE"] for row in known}):
        file = read_spectra(SAMPLE / name)
        position = {str(row["identity"]): at for at, row in enumerate(file.rows)}
        here = [row for row in known if row["FILE"] == name and row["TARGETID"] in position]
        found += [(extract(file, position[row["TARGETID"]]), float(row["Z"])) for row in here]
    return found


def guessed(quasar: Quasar, z: float) -> Spectrum:
    """The spectrum with a pipeline that says QSO at ``z``."""
    row = quasar[0].row.copy()
    row["pipeline"], row["pipeline_class"], row["pipeline_z"], row["pipeline_zwarn"] = "redrock", "QSO", z, 0
    return replace(quasar[0], row=row, fits=())


def confused_z(quasar: Quasar, truth: str, taken_for: str) -> float | None:
    """Where a pipeline puts a quasar whose line ``truth`` it takes for another; None when the line is not there."""
    at = BY_NAME[truth].rest * (1 + quasar[1])
    arms = quasar[0].arms
    z = at / BY_NAME[taken_for].rest - 1
    inside = arms[0].wavelength[0] + 100 < at < arms[-1].wavelength[-1] - 100
    return z if inside and 0 < z < 7 else None


def line_at(wavelength: float, z: float) -> Nameable | None:
    """The line that an inspector sees there, who knows where the others are."""
    best = min(NAMEABLE, key=lambda line: abs(wavelength / (line.rest * (1 + z)) - 1))
    return best if abs(wavelength / (best.rest * (1 + z)) - 1) < NEAR else None


def way_to_a_line(item: Item, z: float) -> tuple[int, Nameable] | None:
    """How many peaks to jump (down > 0) from the strongest to one that is a line at ``z``, and which; None without."""
    peaks = [feature.wavelength for feature in item.features]
    if item.strongest is None:
        return None
    start = peaks.index(item.strongest)
    ways = [(at - start, line_at(peak, z)) for at, peak in enumerate(peaks)]
    good = [(jump, line) for jump, line in ways if line is not None]
    return min(good, key=lambda way: abs(way[0]), default=None)


def velocity(z: float, truth: float) -> float:
    return LIGHT_KMS * (z - truth) / (1 + truth)


class Fingers:
    """Keys pressed one by one, and counted."""

    def __init__(self, it: Open) -> None:
        self.it, self.pressed = it, 0

    async def press(self, *keys: str) -> None:
        for key in keys:
            self.pressed += 1
            await self.it.press(key)

    async def fit_and_take(self) -> None:
        await self.press("f")
        await self.it.until(lambda: self.it.screen.offer is not None)
        await self.press("enter")

    async def commit(self) -> None:
        before = self.it.screen.item
        await self.press("enter")
        await self.it.until(lambda: self.it.screen.item is not before)


def saved_z(root: Path) -> list[store.Vote]:
    with Workspace.open(root) as ws:
        return sorted(store.votes(ws), key=lambda vote: vote.committed_at)


async def answer(root: Path, quasars: list[Quasar], *, confused: bool) -> list[int]:
    """Answer every quasar of the queue as an inspector would, check the votes, and return the keys each took."""
    counts = []
    async with opened(root) as it:
        for _, z in quasars:
            hand = Fingers(it)
            if confused:
                jump, line = way_to_a_line(it.screen.item, z)
                await hand.press(*(["down"] * jump or ["up"] * -jump), "x", line.letter, "q", "R")
            else:
                await hand.press("a")
            await hand.fit_and_take()
            await hand.press("4")
            await hand.commit()
            counts.append(hand.pressed)
    votes = saved_z(root)
    assert len(votes) == len(quasars)
    for vote, (_, z) in zip(votes, quasars, strict=True):
        assert (vote.spectype, vote.quality, vote.z_source) == ("QSO", 4, "fit")
        assert abs(velocity(vote.z, z)) < SAME_KMS, (vote.object_id, vote.z, z)
        assert vote.issues == ("R" if confused else "")
    return counts


def chosen(quasars: list[Quasar], *, confused: bool, most: int) -> tuple[list[Quasar], list[Spectrum]]:
    """The first ``most`` quasars for the screen, with the pipeline's guess in their rows."""
    found = []
    for number, quasar in enumerate(quasars):
        # A right guess is off by up to 600 km/s, as broad lines are from one another.
        z = quasar[1] + (number % 3 - 1) * 0.002 * (1 + quasar[1])
        if confused:
            wrong = confused_z(quasar, "Mg II", "C IV") if number % 2 else confused_z(quasar, "C IV", "Mg II")
            if wrong is None or way_to_a_line(item_of(quasar[0], blind=True), quasar[1]) is None:
                continue
            z = wrong
        found.append((quasar, guessed(quasar, z)))
    return [quasar for quasar, _ in found[:most]], [spectrum for _, spectrum in found[:most]]


async def test_a_right_guess_takes_few_keys(tmp_path):
    quasars, spectra = chosen(sample_quasars(), confused=False, most=4)
    make_workspace(tmp_path / "ws", spectra).close()
    counts = await answer(tmp_path / "ws", quasars, confused=False)
    assert len(counts) == 4
    assert max(counts) <= FROM_A_RIGHT_GUESS, counts


async def test_mg_ii_taken_for_c_iv_takes_a_few_more(tmp_path):
    quasars, spectra = chosen(sample_quasars(), confused=True, most=4)
    make_workspace(tmp_path / "ws", spectra).close()
    counts = await answer(tmp_path / "ws", quasars, confused=True)
    assert len(counts) == 4
    assert max(counts) <= FROM_A_CONFUSED_ONE, counts


def keys_without_a_screen(item: Item, truth: float, *, confused: bool) -> tuple[int, float]:
    """The same scripts on the state alone, for many: keys, and how far from the truth (km/s) they end."""
    state, keys = item.started(), 0
    if confused:
        way = way_to_a_line(item, truth)
        if way is None:
            return 99, float("inf")
        peaks = [feature.wavelength for feature in item.features]
        at = peaks[peaks.index(item.strongest) + way[0]]
        state = state.with_line(way[1].name, at / way[1].rest - 1).with_class("QSO").with_issue_toggled("R")
        keys = abs(way[0]) + len("x?qR")
    else:
        state, keys = state.with_pipeline(), 1
    try:
        offer = fitted(item, state)
    except Refused:
        return keys + len("f4") + 1, abs(velocity(state.answer.z, truth))
    state = state.with_z_fitted(offer.z, offer.z_error).with_quality(4).with_commit_asked()
    return keys + len("f") + 1 + len("4") + 1, abs(velocity(state.answer.z, truth))


def shares(quasars: list[Quasar]) -> dict[str, tuple[int, float, int]]:
    """Of right and of confused guesses: how many, the share that ends at the right redshift, and the most keys."""
    found: dict[str, list[tuple[int, float]]] = {"right": [], "Mg II as C IV": [], "C IV as Mg II": []}
    for quasar in quasars:
        right = item_of(guessed(quasar, quasar[1] * 1.001), blind=False)
        found["right"].append(keys_without_a_screen(right, quasar[1], confused=False))
        for case, pair in (("Mg II as C IV", ("Mg II", "C IV")), ("C IV as Mg II", ("C IV", "Mg II"))):
            wrong = confused_z(quasar, *pair)
            if wrong is not None:
                item = item_of(guessed(quasar, wrong), blind=False)
                found[case].append(keys_without_a_screen(item, quasar[1], confused=True))
    return {
        case: (len(ends), sum(v < SAME_KMS for _, v in ends) / len(ends), max(keys for keys, _ in ends if keys < 99))
        for case, ends in found.items()
    }


def test_of_the_simulated_quasars_nearly_all_end_at_their_redshift():
    for case, (count, share, keys) in shares(sample_quasars()).items():
        assert count >= 15
        assert share >= (0.95 if case == "right" else 0.8), case
        assert keys <= (FROM_A_RIGHT_GUESS if case == "right" else FROM_A_CONFUSED_ONE), case


@pytest.mark.shared
def test_of_the_real_quasars_with_visual_redshifts_too(shared_data: Path):
    import fitsio

    catalogue = fitsio.read(str(shared_data / "sdss" / "drq_catalogue_plate3655.fits.gz"))
    z_column = "Z_VI" if "Z_VI" in catalogue.dtype.names else "Z"
    visual = {(int(row["PLATE"]), int(row["MJD"]), int(row["FIBERID"])): float(row[z_column]) for row in catalogue}
    quasars = []
    for path in sorted((shared_data / "sdss" / "spectra").glob("spec-3655-*")):
        spectrum = extract(read_spectra(path), 0)
        z = visual.get(tuple(int(spectrum.row[name]) for name in ("plate", "mjd", "fiberid")))
        if z is not None and spectrum.row["snr"] >= 3:
            quasars.append((spectrum, z))
    for case, (count, share, keys) in shares(quasars[::2]).items():
        assert count >= 10
        # A few of these broad lines lie far from their quasar's redshift, and a peak may be too weak to jump to.
        assert share >= (0.85 if case == "right" else 0.75), case
        assert keys <= (FROM_A_RIGHT_GUESS if case == "right" else FROM_A_CONFUSED_ONE), case

"""What a truth table turns into: labels with their identities, rejected rows with their reasons.

The identity of an object is (survey, identity): for DESI the TARGETID, for SDSS ``T<THING_ID>`` where
there is a positive one, else ``P<plate>-<mjd>-<fiberid>``.
"""

from dataclasses import dataclass
from typing import Literal

Origin = Literal["people", "pipeline", "catalogue"]


def identities(
    targetid: int | None, thing_id: int | None, plate_mjd_fiber: tuple[int, int, int] | None
) -> list[tuple[str, str]]:
    """(survey, identity) candidates of an object, best first; what is not known is None."""
    found: list[tuple[str, str]] = []
    if targetid is not None:
        found.append(("desi", str(targetid)))
    if thing_id is not None:
        found.append(("sdss", f"T{thing_id}"))
    if plate_mjd_fiber is not None:
        plate, mjd, fiberid = plate_mjd_fiber
        found.append(("sdss", f"P{plate}-{mjd}-{fiberid}"))
    return found


@dataclass(frozen=True, slots=True)
class Label:
    """What one row of a truth table says of one object.

    ``spectype`` is STAR, GALAXY or QSO, "" only where ``quality`` is below 2.5, and so is ``z`` None. ``quality`` is
    0 to 4, a mean of inspectors or a merger's value. ``bal`` is +1 for a broad-absorption-line quasar, -1
    for an object that is none, 0 where nobody says. ``issues`` holds sorted letters of R, C, S. ``line``
    is the line of the text file, or the row of the FITS table, both counted from 1.
    """

    targetid: int | None
    thing_id: int | None
    plate_mjd_fiber: tuple[int, int, int] | None
    spectype: str
    z: float | None
    quality: float
    bal: int
    issues: str
    comment: str
    n_vi: int | None
    line: int

    def identities(self) -> list[tuple[str, str]]:
        """(survey, identity) candidates, best first: TARGETID, then THING_ID, then PLATE-MJD-FIBERID."""
        return identities(self.targetid, self.thing_id, self.plate_mjd_fiber)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that became no label: its line (text) or row (FITS), counted from 1, and why in one line."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class TruthTable:
    """A whole truth table as read: ``rows == len(labels) + len(rejected) + duplicates``.

    ``labels`` are in the order of the file, one per object. ``notes`` are sentences for the user: choices
    made on the table's behalf (a quality it does not have, repeats resolved, columns ignored).
    """

    path: str
    dialect: str
    rows: int
    labels: tuple[Label, ...]
    rejected: tuple[Rejected, ...]
    duplicates: int
    origin: Origin
    notes: tuple[str, ...]

"""What an exported table calls an object, and which of its rows stands for it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import storage.spectra as spectra_store
from qnet_tui.workflows.labelled_rows import best_rows
from storage.workspace import Workspace


@dataclass(frozen=True)
class ObjectName:
    """How an object is called: its survey, its identity there, its TARGETID (0 when it has none)."""

    survey: str
    identity: str
    targetid: int

    def cells(self) -> tuple[str, str, int | str]:
        """SURVEY, ID and TARGETID as tables write them."""
        return self.survey, self.identity, self.targetid or ""

    def sort_key(self) -> tuple[str, int, str]:
        """By survey, TARGETID, identity."""
        return self.survey, self.targetid, self.identity

    def sdss(self, place: tuple[int, int, int] = (-1, -1, -1)) -> tuple[int, int, int, int] | None:
        """(THING_ID, PLATE, MJD, FIBERID) of an object of SDSS, None of another; -1 what neither name nor row tells.

        ``place`` are plate, MJD and fibre of a row that shows it.
        """
        if self.survey != "sdss":
            return None
        if self.identity.startswith("T"):
            return int(self.identity[1:]), *place
        plate, mjd, fiberid = (int(part) for part in self.identity[1:].split("-"))
        return -1, plate, mjd, fiberid


def objects_by_id(ws: Workspace, ids: Iterable[int]) -> dict[int, ObjectName]:
    """Names of the given objects."""
    found = spectra_store.objects(ws, sorted(set(ids)))
    return {int(o["id"]): ObjectName(str(o["survey"]), str(o["identity"]), int(o["targetid"])) for o in found}


def shown_rows(ws: Workspace, ids: Iterable[int]) -> dict[int, Any]:
    """Object → the row of it that people look at; objects without any row are left out."""
    rows = spectra_store.read_rows(ws, object_ids=ids)
    return {int(row["object_id"]): row for row in rows[best_rows(rows, one_per_object=True)]}

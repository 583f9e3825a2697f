"""What of a curve may be drawn: finite, inside the window, cut at gaps, and no more points than the picture has dots.

Whoever draws lines with these paths is safe from what hurts line drawers: NaN, infinities, and points so far outside
that joining them takes for ever.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# A path longer than this many dots, or of more vertices for a dot across, blackens the picture anyway: its points are
# drawn, not joined. Of more dots than the last number a fair share is drawn: each costs some 30 microseconds.
_LONGEST, _MOST_VERTICES, _MOST_DOTS = 60_000, 20, 40_000


def joined_path(across: Floats, up: Floats, size: tuple[int, int], gap: int = 2) -> Floats:
    """Return the vertices (k, 2) of a curve inside a picture of ``size`` (dots across, dots up), whole numbers.

    ``across`` and ``up`` (n,) are positions in dots as :meth:`Span.position` gives them. A row of NaN stands
    where the pen is lifted. Positions that are NaN are gaps; one no wider than ``gap`` dots is drawn across, so that
    masked pixels within a column do not take a curve to pieces (with a ``gap`` of -1 all of them do).
    """
    points, broken = _without_gaps(across, up, gap)
    if len(points) > 4 * size[0]:
        points, broken = _envelope(points, broken)
    if len(points) > _MOST_VERTICES * size[0] + 2000:
        return _lifted(lone_points(across, up, size))
    path = _clipped(points, broken, size)
    steps = np.abs(np.diff(path, axis=0)).max(axis=1) if len(path) > 1 else np.empty(0)
    return path if np.nansum(steps) <= _LONGEST else _lifted(lone_points(across, up, size))


def lone_points(across: Floats, up: Floats, size: tuple[int, int]) -> Floats:
    """Return the dots (k, 2) that points fall on inside a picture of ``size``, each once, whole numbers."""
    n = min(across.size, up.size)
    points = np.column_stack([across.ravel()[:n], up.ravel()[:n]])
    points = np.floor(points[np.isfinite(points).all(axis=1)] + 0.5)
    inside = ((points >= 0) & (points < size)).all(axis=1)
    picture = np.zeros(size, bool)
    columns, rows = points[inside].astype(np.intp).T
    picture[columns, rows] = True
    dots = np.argwhere(picture).astype(np.float64)
    every = -(-len(dots) // _MOST_DOTS)
    return dots if every <= 1 else dots[(dots @ (7, 13)) % every == 0]


def band_points(across: Floats, low: Floats, high: Floats, size: tuple[int, int], every: tuple[int, int]) -> Floats:
    """Return the dots (k, 2) of a thin lattice between two curves, ``every`` (across, up) dots one.

    The curves are taken as straight between neighbouring points; where either is NaN there is no band.
    """
    n = min(across.size, low.size, high.size)
    across, low, high = across.ravel()[:n], low.ravel()[:n], high.ravel()[:n]
    good = np.isfinite(across) & np.isfinite(low) & np.isfinite(high)
    if not good.any():
        return np.empty((0, 2))
    order = np.argsort(across[good], kind="stable")
    x, bottom, top = across[good][order], low[good][order], high[good][order]
    columns = np.arange(max(0, np.ceil(x[0])), min(size[0] - 1, np.floor(x[-1])) + 1)
    if columns.size == 0:
        return np.empty((0, 2))
    bottom, top = np.interp(columns, x, bottom), np.interp(columns, x, top)
    rows = np.arange(size[1])
    step = columns.astype(np.intp) // every[0]
    lattice = (columns.astype(np.intp)[:, None] % every[0] == 0) & ((rows[None, :] + step[:, None]) % every[1] == 0)
    filled = lattice & (rows[None, :] >= bottom[:, None] - 0.5) & (rows[None, :] <= top[:, None] + 0.5)
    chosen = np.argwhere(filled)
    return np.column_stack([columns[chosen[:, 0]], rows[chosen[:, 1]]]).astype(np.float64)


def _without_gaps(across: Floats, up: Floats, gap: int) -> tuple[Floats, Bools]:
    """Return the finite points (m, 2), and for each whether the pen is lifted before it."""
    n = min(across.size, up.size)
    points = np.column_stack([across.ravel()[:n], up.ravel()[:n]])
    kept = np.flatnonzero(np.isfinite(points).all(axis=1))
    points = points[kept]
    broken = np.zeros(kept.size, bool)
    if kept.size > 1:
        missing = np.diff(kept) > 1
        broken[1:] = missing & (np.abs(np.diff(points[:, 0])) > gap)
    return points, broken


def _envelope(points: Floats, broken: Bools) -> tuple[Floats, Bools]:
    """Give each stretch of points in one dot column its least and its greatest height, in the order it runs."""
    columns = np.floor(points[:, 0] + 0.5)
    new = np.concatenate([[True], (np.diff(columns) != 0) | broken[1:]])
    starts = np.flatnonzero(new)
    ends = np.concatenate([starts[1:], [len(points)]]) - 1
    heights = points[:, 1]
    low, high = np.minimum.reduceat(heights, starts), np.maximum.reduceat(heights, starts)
    rises = heights[ends] >= heights[starts]
    both = np.column_stack([np.where(rises, low, high), np.where(rises, high, low)])
    lifted = np.column_stack([broken[starts], np.zeros(starts.size, bool)])
    return np.column_stack([np.repeat(columns[starts], 2), both.ravel()]), lifted.ravel()


def _clipped(points: Floats, broken: Bools, size: tuple[int, int]) -> Floats:
    """Cut every stroke to the picture (Liang and Barsky), join what hangs together, round to dots."""
    inside: Bools = np.all((points >= -0.5) & (points <= np.array(size) - 0.5), axis=1)
    alone = inside.copy()
    pieces: list[Floats] = []
    if len(points) > 1:
        start, stroke = points[:-1], np.diff(points, axis=0)
        enter, leave = np.zeros(len(start)), np.ones(len(start))
        with np.errstate(all="ignore"):
            for axis in (0, 1):
                low, high = -0.5, size[axis] - 0.5
                near = (low - start[:, axis]) / stroke[:, axis]
                far = (high - start[:, axis]) / stroke[:, axis]
                within = (start[:, axis] >= low) & (start[:, axis] <= high)
                still = stroke[:, axis] == 0
                enter = np.maximum(enter, np.where(still, np.where(within, -1.0, 2.0), np.minimum(near, far)))
                leave = np.minimum(leave, np.where(still, 2.0, np.maximum(near, far)))
        seen = (enter <= leave) & ~broken[1:]
        alone[:-1] &= ~seen
        alone[1:] &= ~seen
        hangs = np.zeros(len(start), bool)
        hangs[1:] = seen[1:] & seen[:-1] & (leave[:-1] == 1) & (enter[1:] == 0)
        corners = np.full((len(start), 3, 2), np.nan)
        corners[:, 1] = start + enter[:, None] * stroke
        corners[:, 2] = start + leave[:, None] * stroke
        wanted = np.column_stack([~hangs, ~hangs, np.ones(len(start), bool)]) & seen[:, None]
        pieces.append(corners[wanted])
    pieces.append(_lifted(points[alone]))
    path = np.concatenate(pieces)
    path = np.clip(np.floor(path + 0.5), 0, np.array(size, float) - 1)
    return _straightened(path)


def _straightened(path: Floats) -> Floats:
    """Leave out vertices that stand on the line between their neighbours; rows of NaN stay."""
    if len(path) > 1:
        path = path[np.concatenate([[True], (path[1:] != path[:-1]).any(axis=1)])]
    if len(path) > 2:
        before, after = path[1:-1] - path[:-2], path[2:] - path[1:-1]
        along = (before[:, 0] * after[:, 1] == before[:, 1] * after[:, 0]) & ((before * after).sum(axis=1) > 0)
        path = path[np.concatenate([[True], ~along, [True]])]
    return path


def _lifted(points: Floats) -> Floats:
    """Return single points (m, 2) as a path that lifts the pen before each."""
    if len(points) == 0:
        return np.empty((0, 2))
    return np.stack([np.full_like(points, np.nan), points], axis=1).reshape(-1, 2)

"""Regions whose rings cross themselves, one another, or the image's border: what is left of them, and areas.

A point is in a region if it is inside its outer ring and inside no hole, each ring by the even-odd rule. GEOS (through
shapely) does the geometry. Where rings cross, all edges are cut at one another, and each face between them is kept or
not by that rule: GEOS's own repair of invalid polygons knows no even-odd rule where edges lie upon one another. What
crosses too often for that (:mod:`.tangles`) is measured roughly, and not cut.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import shapely

from airflow_provider_fastlabel.formats.geometry.tangles import LONG, sampled_area, tangled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Faces = NDArray[np.object_]

Ring = list[float]
# Computed coordinates are rounded to so many decimals; what is not wider than that is noise.
_DECIMALS = 6
_THIN = 1e-6
# GEOS is given so many decimals: corners nearer than that are one, and no number is so small that GEOS cannot divide.
_NEAR = 9
_TABLE = 1 << 20


class TangledError(Exception):
    """Rings cross themselves or one another too often to be cut."""


def resolved(region: list[Ring], width: float = 0, height: float = 0) -> tuple[list[list[Ring]], float]:
    """Return a region as regions that lie in the image and apart, and whose holes lie in their outlines and apart.

    :param region: flat open rings, the outer one first.
    :param width: image width in pixels; 0 leaves the region uncut.
    :param height: image height.
    :returns: the region itself if it is such already, even if its rings touch one another or cross themselves. Else new
        ones whose rings do not: outer rings clockwise on screen and holes counter-clockwise, in an order that only the
        area decides, not how it was drawn. Corners keep their numbers, new ones have 6 decimals. None if nothing is
        left. And what they cover, in square pixels.
    :raises TangledError: they cross more than :data:`.tangles.MOST_CROSSINGS` times.
    """
    rings = _linear(region)
    _check_tangles(rings, long=True)
    leaves = width and any(min(ring) < 0 or max(ring[::2]) > width or max(ring[1::2]) > height for ring in region)
    whole = shapely.polygons(rings[0], rings[1:])
    if not shapely.is_valid(whole):
        _check_tangles(rings)
        faces, sides = _faces(rings, width, height) if leaves else _faces(rings, 0, 0)
        kept = sides[0] & ~sides[1:].any(axis=0)
        astray = sides[1:].sum(axis=0) > sides[0]
        if not leaves and not _wide(faces[astray]).any():
            return [region], float(shapely.area(faces[kept]).sum())
        whole = shapely.union_all(faces[kept])
    elif not leaves:
        return [region], float(shapely.area(whole))
    else:
        whole = shapely.intersection(whole, shapely.box(0, 0, width, height))
    given = [number for ring in region for number in ring] + [0, width, height]
    known = dict(zip(np.round(given, _NEAR).tolist(), given, strict=True))
    limits = (0, width, 0, height) if leaves else (-inf, inf, -inf, inf)
    return _regions(whole, known, limits), float(shapely.area(whole))


def area_of(regions: Sequence[list[Ring]]) -> tuple[float, bool]:
    """Area of the union of regions, each without its holes, whatever overlaps or crosses whatever.

    :param regions: regions, each an outer ring and its holes, flat coordinates, open or closed, any direction.
    :returns: square pixels, and whether they are exact: they are not where edges cross more than
        :data:`.tangles.MOST_CROSSINGS` times.
    """
    if not regions:
        return 0.0, True
    try:
        return _exact_area(regions), True
    except TangledError:
        return sampled_area(regions), False


def _exact_area(regions: Sequence[list[Ring]]) -> float:
    """Return the area.

    :raises TangledError: edges cross too often.
    """
    parts = [_linear(region) for region in regions]
    _check_tangles(np.concatenate(parts), long=True)
    whole = shapely.multipolygons([shapely.polygons(rings[0], rings[1:]) for rings in parts])
    if shapely.is_valid(whole):
        return float(shapely.area(whole))
    _check_tangles(np.concatenate(parts))
    faces, sides = _faces(np.concatenate(parts), 0, 0)
    covered = np.zeros(len(faces), dtype=bool)
    first = 0
    for rings in parts:
        covered |= sides[first] & ~sides[first + 1 : first + len(rings)].any(axis=0)
        first += len(rings)
    return float(shapely.area(faces[covered]).sum())


def _check_tangles(rings: Faces, *, long: bool = False) -> None:
    """Refuse rings that cross too often.

    :param long: look only at what may take GEOS long whether it crosses or not.
    """
    count = int(shapely.get_num_coordinates(rings).sum())
    if long != (count > LONG):
        return
    if tangled([shapely.get_coordinates(ring) for ring in rings]):
        raise TangledError


def _linear(region: list[Ring]) -> Faces:
    """Return rings as GEOS has them, closed."""
    numbers: Ring = []
    which: list[int] = []
    for number, ring in enumerate(region):
        numbers += ring
        numbers += ring[:2]
        which += [number] * (len(ring) // 2 + 1)
    points = np.array(numbers, dtype=np.float64).round(_NEAR).reshape(-1, 2)
    return cast("Faces", shapely.linearrings(points, indices=np.array(which)))


def _faces(rings: Faces, width: float, height: float) -> tuple[Faces, NDArray[np.bool_]]:
    """Cut all edges at one another.

    :param rings: rings.
    :param width: image width; 0 for all faces, else those in the image.
    :param height: image height.
    :returns: the faces between the edges, and for each ring whether each face is inside, by the even-odd rule.
    """
    frame = shapely.box(0, 0, width, height)
    lines = shapely.union_all([*rings, shapely.boundary(frame)] if width else rings)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    spots = _places_in(faces)
    if width:
        within = shapely.contains(frame, spots)
        faces, spots = faces[within], spots[within]
    places = shapely.get_coordinates(spots)
    return faces, np.array([_inside(shapely.get_coordinates(ring), places) for ring in rings])


def _places_in(faces: Faces) -> Faces:
    """Return a point inside each face.

    What GEOS finds quickly is a corner where it meets a part of the face that has no width to speak of; it then looks
    for the middle of the largest circle. Faces that are all of that kind keep the corner: they count for nothing.
    """
    spots: Faces = shapely.point_on_surface(faces)
    missed = ~shapely.contains(faces, spots)
    if missed.any():
        missed &= _wide(faces)
        spots[missed] = shapely.get_point(shapely.maximum_inscribed_circle(faces[missed]), 0)
    return spots


def _inside(ring: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell of each place whether it is inside a ring.

    GEOS would not say so of one on an edge that is walked to and fro, as bridges are; here the two cancel out.
    """
    edges = np.concatenate((ring[:-1], ring[1:]), axis=1)
    x1, y1, x2, y2 = edges[edges[:, 1] != edges[:, 3]].T
    answers = [np.zeros(0, dtype=bool)]
    # So many places at a time that the table of places and edges stays small.
    for some in np.array_split(places, 1 + len(places) * len(ring) // _TABLE):
        x, y = some[:, :1], some[:, 1:]
        beside = ((y1 > y) != (y2 > y)) & (x < x1 + (y - y1) / (y2 - y1) * (x2 - x1))
        answers.append(beside.sum(axis=1) % 2 == 1)
    return np.concatenate(answers)


def _regions(whole: Any, known: dict[float, float], limits: tuple[float, ...]) -> list[list[Ring]]:
    """Turn what GEOS found into regions.

    :param known: numbers as GEOS had them -> as they were given.
    :param limits: what no corner may lie beyond: left, right, top, bottom.
    """
    left, right, top, bottom = limits

    def flat(ring: Any) -> Ring:
        # Normalised rings run the wrong way round, and are closed.
        numbers = shapely.get_coordinates(ring)[:0:-1].ravel().tolist()
        numbers = [number if number in known else round(number, _DECIMALS) for number in numbers]
        numbers[::2] = [min(max(x, left), right) for x in numbers[::2]]
        numbers[1::2] = [min(max(y, top), bottom) for y in numbers[1::2]]
        return [known.get(number, number) for number in numbers]

    return [
        [flat(part.exterior), *(flat(hole) for hole in part.interiors if _wide(shapely.polygons(hole)))]
        for part in shapely.get_parts(shapely.normalize(whole))
        if _wide(part)
    ]


def _wide(polygons: Any) -> Any:
    """Tell whether polygons are more than noise."""
    return shapely.area(polygons) > _THIN * shapely.length(polygons)

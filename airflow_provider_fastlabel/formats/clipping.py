"""Exact work on rings that the fast paths of :mod:`.geometry` leave over: cutting at the image's border, and areas.

Both follow the even-odd rule, so a ring that crosses itself has a defined inside.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Ring = list[float]
_Point = tuple[float, float]
# Cut points and areas below this many (square) pixels are noise.
_TINY = 1e-9


def clip_ring(ring: Ring, width: float, height: float) -> list[Ring]:
    """Cut a ring to the rectangle from (0, 0) to (width, height).

    The ring is cut at one border after the other; the points where it crosses a border are sorted along it and joined
    in pairs, so that a ring which leaves the image and comes back becomes several rings, without the zero-width bridges
    that Sutherland and Hodgman's way leaves behind (they would widen the enclosing box).

    :param ring: Flat coordinates of an open ring.
    :param width: Right border.
    :param height: Lower border.
    :returns: Open rings with an area, in no particular direction; empty if nothing is inside.
    """
    rings = [list(zip(ring[::2], ring[1::2], strict=True))]
    for axis, limit, sign in ((0, 0, -1), (0, width, 1), (1, 0, -1), (1, height, 1)):
        rings = [piece for one in rings for piece in _cut(one, axis, limit, sign)]
    flat = [[number for point in one for number in point] for one in rings if len(one) >= 3]
    return [one for one in flat if exact_area([[one]]) > _TINY]


def _cut(ring: list[_Point], axis: int, limit: float, sign: int) -> list[list[_Point]]:
    """Keep what of a ring lies on the inner side of one border; points on the border count as outside."""
    depth = [(point[axis] - limit) * sign for point in ring]
    if max(depth) <= 0:
        return [ring]
    if min(depth) >= 0:
        return []
    chains = _chains(ring, depth, axis, limit)
    ends = sorted((chain[side][1 - axis], n, side) for n, chain in enumerate(chains) for side in (0, -1))
    partner: dict[tuple[int, int], tuple[int, int]] = {}
    for (_, n, side), (_, m, other) in zip(ends[::2], ends[1::2], strict=True):
        partner[n, side], partner[m, other] = (m, other), (n, side)
    return _join(chains, partner)


def _chains(ring: list[_Point], depth: list[float], axis: int, limit: float) -> list[list[_Point]]:
    """Find runs of points inside the border, each with the border points where it comes in and goes out."""
    count = len(ring)
    first = next(n for n in range(count) if depth[n] >= 0 and depth[(n + 1) % count] < 0)
    chains: list[list[_Point]] = []
    for step in range(count):
        here, there = (first + step) % count, (first + step + 1) % count
        if depth[here] >= 0 and depth[there] >= 0:
            continue
        if depth[here] >= 0:
            chains.append([_crossing(ring[here], ring[there], depth[here], depth[there], axis, limit)])
        if depth[there] < 0:
            chains[-1].append(ring[there])
        else:
            chains[-1].append(_crossing(ring[there], ring[here], depth[there], depth[here], axis, limit))
    return chains


def _crossing(outer: _Point, inner: _Point, above: float, below: float, axis: int, limit: float) -> _Point:
    """Where the edge from a point outside to a point inside meets the border."""
    other = 1 - axis
    along = (
        outer[other] if above == 0 else round(outer[other] + (inner[other] - outer[other]) * above / (above - below), 6)
    )
    return (limit, along) if axis == 0 else (along, limit)


def _join(chains: list[list[_Point]], partner: dict[tuple[int, int], tuple[int, int]]) -> list[list[_Point]]:
    """Join chains along the border into rings, walking a chain backwards where its end was met."""
    left = set(range(len(chains)))
    rings = []
    while left:
        start = min(left)
        ring: list[_Point] = []
        number, side = start, 0
        while number in left:
            left.remove(number)
            ring += chains[number] if side == 0 else chains[number][::-1]
            number, side = partner[number, -1 if side == 0 else 0]
        rings.append([point for n, point in enumerate(ring) if point != ring[n - 1]])
    return rings


def inside(ring: Sequence[float], x: float, y: float) -> bool:
    """Whether a point lies inside a ring (even-odd rule; on the outline either answer).

    :param ring: Flat coordinates of an open ring.
    :param x: Point.
    :param y: Point.
    :returns: True if inside.
    """
    odd = False
    px, py = ring[-2], ring[-1]
    for qx, qy in zip(ring[::2], ring[1::2], strict=True):
        if (qy > y) != (py > y) and x < qx + (px - qx) * (y - qy) / (py - qy):
            odd = not odd
        px, py = qx, qy
    return odd


def lies_within(hole: Sequence[float], outer: Sequence[float]) -> bool:
    """Whether a ring lies inside another without crossing or touching it.

    :param hole: Flat coordinates of an open ring.
    :param outer: The ring around it.
    :returns: True if certainly so; False also in doubtful cases (a shared point).
    """
    xs, ys = hole[::2], hole[1::2]
    left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
    us, vs = outer[::2], outer[1::2]
    near = [
        (px, py, qx, qy)
        for px, py, qx, qy in zip((us[-1], *us[:-1]), (vs[-1], *vs[:-1]), us, vs, strict=True)
        if not (
            (px < left and qx < left)
            or (px > right and qx > right)
            or (py < top and qy < top)
            or (py > bottom and qy > bottom)
        )
    ]
    if near:
        # Of these, an edge can cross the ring only if its line meets the ring's box.
        x, y, reach_x, reach_y = (left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2
        near = [
            (px, py, qx, qy)
            for px, py, qx, qy in near
            if abs((qx - px) * (y - py) - (qy - py) * (x - px)) <= abs(qx - px) * reach_y + abs(qy - py) * reach_x
        ]
    return not (near and _any_cross(near, xs, ys)) and inside(outer, xs[0], ys[0])


def _any_cross(edges: list[tuple[float, float, float, float]], xs: Sequence[float], ys: Sequence[float]) -> bool:
    """Whether any edge crosses or touches the ring with these corners."""
    for px, py, qx, qy in edges:
        dx, dy = qx - px, qy - py
        side = [dx * (y - py) - dy * (x - px) for x, y in zip(xs, ys, strict=True)]
        if min(side) > 0 or max(side) < 0:
            continue
        for n, here in enumerate(side):
            if here * side[n - 1] <= 0:
                ux, uy = xs[n] - xs[n - 1], ys[n] - ys[n - 1]
                a = ux * (py - ys[n - 1]) - uy * (px - xs[n - 1])
                b = ux * (qy - ys[n - 1]) - uy * (qx - xs[n - 1])
                if a * b <= 0:
                    return True
    return False


def exact_area(regions: list[list[Ring]]) -> float:
    """Area of the union of regions, each without its holes, whatever overlaps or crosses whatever.

    A line sweeps down: between two neighbouring heights at which an edge begins, ends or crosses another, edges only
    run beside one another, and the covered length half-way, times the height of the band, is the band's exact area.

    :param regions: Regions, each an outer ring and its holes, flat coordinates, open or closed, any direction.
    :returns: Square pixels.
    """
    edges = _edges(regions)
    heights = _heights(edges)
    area = 0.0
    start = 0
    active: list[tuple[float, float, float, float, int, int]] = []
    for top, bottom in pairwise(heights):
        middle = (top + bottom) / 2
        active = [edge for edge in active if edge[1] > middle]
        while start < len(edges) and edges[start][0] < middle:
            if edges[start][1] > middle:
                active.append(edges[start])
            start += 1
        if active:
            crossed = sorted((x + (middle - y) * slope, n, ring) for y, _, x, slope, n, ring in active)
            area += (bottom - top) * _covered(crossed)
    return area


def _edges(regions: list[list[Ring]]) -> list[tuple[float, float, float, float, int, int]]:
    """Edges that are not level, by height: (top y, bottom y, x at the top, dx/dy, region, ring)."""
    edges = []
    for number, region in enumerate(regions):
        for order, ring in enumerate(region):
            px, py = ring[-2], ring[-1]
            for qx, qy in zip(ring[::2], ring[1::2], strict=True):
                if py < qy:
                    edges.append((py, qy, px, (qx - px) / (qy - py), number, order))
                elif py > qy:
                    edges.append((qy, py, qx, (px - qx) / (py - qy), number, order))
                px, py = qx, qy
    edges.sort()
    return edges


def _heights(edges: list[tuple[float, float, float, float, int, int]]) -> list[float]:
    """All heights at which the order of the edges can change."""
    heights = {edge[0] for edge in edges} | {edge[1] for edge in edges}
    active: list[tuple[float, float, float, float, int, int]] = []
    for edge in edges:
        top, bottom, x, slope = edge[:4]
        active = [other for other in active if other[1] > top]
        for other in active:
            faster = other[3] - slope
            if faster:
                crossing = top + (x - other[2] - (top - other[0]) * other[3]) / faster
                if top < crossing < bottom and crossing < other[1]:
                    heights.add(crossing)
        active.append(edge)
    return sorted(heights)


def _covered(crossed: list[tuple[float, int, int]]) -> float:
    """Length covered on one level: a region covers where its outer ring is odd and no hole of it is."""
    odd: dict[int, set[int]] = {}
    length = 0.0
    covering: set[int] = set()
    before = 0.0
    for x, region, ring in crossed:
        if covering:
            length += x - before
        before = x
        rings = odd.setdefault(region, set())
        rings ^= {ring}
        (covering.add if rings == {0} else covering.discard)(region)
    return length

"""Closed arcs at the ends of a way, in plain Python: the twin of `kernel_closed`."""

from __future__ import annotations

from routing.search.arrays import CLOSED_MS, PROFILE_SHIFT
from routing.search.labels_python import ALL_CLOSED, ARC_MASK, Search, part_ms


def mark_ways_out(search: Search) -> None:
    """Note the closed arcs that a unit standing on one may drive; units hang already."""
    if not len(search.weights.shut_ms):
        return
    network = search.network
    waiting = [low for low in search.hung if search.shut_ms(low) < CLOSED_MS]
    search.ways_out.update(waiting)
    while waiting:
        low = waiting.pop()
        base, arc = low >> PROFILE_SHIFT << PROFILE_SHIFT, low & ARC_MASK
        first, end = network.turn_start[arc : arc + 2].tolist()
        for after in network.turn_to[first:end].tolist():
            following = base | after
            if following not in search.ways_out and search.shut_ms(following) < CLOSED_MS:
                search.ways_out.add(following)
                waiting.append(following)


def leave(search: Search, ms: int, low: int) -> None:
    """Carry the label of a closed arc back to those before it over which a unit may come."""
    from_start = ms + search.shut_ms(low)
    for before, turn_ms in search.entries(low):
        if before in search.ways_out and from_start + turn_ms <= search.best.limit_ms:
            search.labels.lower(before, from_start + turn_ms, low & ARC_MASK)


def arrive(search: Search) -> None:
    """Search back over closed arcs from a place on them, and begin the main search."""
    if not len(search.weights.shut_ms):
        return
    closed, limit_ms = search.closed, search.best.limit_ms
    search.start(closed, search.weights.shut_ms)
    for ms, low in closed.nearest_first():
        whole = search.shut_ms(low)
        if whole < CLOSED_MS:
            for before, turn_ms in search.entries(low):
                through = ms + whole + turn_ms
                if through <= limit_ms:
                    closed.lower(before, through, low & ARC_MASK)
    for low, ms in closed.ms.items():
        if search.weights.arc_ms[search.place_of(low)] < CLOSED_MS:
            search.labels.lower(low, ms, closed.next_arc[low])
    _offer_closed(search)


def _offer_closed(search: Search) -> None:
    """Offer the units whose whole way is closed."""
    for low, ms in search.closed.ms.items():
        whole = search.shut_ms(low)
        if whole < CLOSED_MS:
            for slot, stand in search.hung.get(low, ()):
                rest = whole - part_ms(whole, float(search.units.share[slot, stand]))
                extra_ms = int(search.units.extra_ms[slot])
                search.best.offer(slot, ms + rest + extra_ms, ALL_CLOSED, stand)

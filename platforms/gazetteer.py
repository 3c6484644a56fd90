"""Finds a place by what a dispatcher types: Chinese, pinyin, initials, a crossing, coordinates.

All names stand in one text, best line first, and a search is a substring search in it: C speed,
no index to keep, a few milliseconds in the worst case for 60,000 names.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from platforms.city import Place
from platforms.errors import AmbiguousPlace, UnknownPlace

SEARCH_MAX = 200
"""Most results of one search."""
QUERY_MAX = 100
"""Longest query; more is no place's name."""
CANDIDATES_MAX = 5
"""Names offered with an error."""

_COORDINATES = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*[,;\s]\s*(-?\d+(?:\.\d+)?)\s*")
_BETWEEN = re.compile(r"\s*(?:/|&|\+|与|和|、|@)\s*")
_SEPARATORS = "/&+、@"
_CROSSING_WORDS = ("交叉路口", "十字路口", "交汇处", "交叉口", "交界处", "路口")
_PART_OF_STREET = re.compile(r"[东西南北中](?=(?:路|街|大道|大街)$)")


class Gazetteer:
    """Places of a city by name."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = tuple(places)
        self._names = _Lines((key, k) for k, p in enumerate(places) for key in _name_keys(p))
        self._sounds = _Lines(
            (sound, k) for k, sounds in enumerate(_spellings(places)) for sound in sounds if sound
        )
        self._by_street: dict[str, set[int]] = {}
        for number, place in enumerate(places):
            for part in place.name.split("/") if place.kind == "crossing" else ():
                for key in {normal(part), _short(normal(part))}:
                    self._by_street.setdefault(key, set()).add(number)

    def __len__(self) -> int:
        """How many places there are."""
        return len(self._places)

    def search(self, query: str, *, limit: int = 10) -> list[Place]:
        """Places that answer to a query, best first: exact, beginning with it, holding it.

        Args:
            query: Part of a name, pinyin, initials, a crossing, or "lon,lat".
            limit: At most so many, up to `SEARCH_MAX`.
        """
        text = normal(query)
        if not text.strip(_SEPARATORS) or len(text) > QUERY_MAX or limit < 1:
            return []
        point = _point(query)
        if point is not None:
            return [point]
        numbers = islice(_once(self._ranked(text)), min(limit, SEARCH_MAX))
        return [self._places[number] for number in numbers]

    def find(self, name: str) -> Place:
        """The one place that is meant.

        Args:
            name: A whole name, alias, crossing in either order, pinyin, or "lon,lat".

        Raises:
            UnknownPlace: No place is called so; names that come near are given.
            AmbiguousPlace: Several places are called so; they are given.
        """
        point = _point(name)
        if point is not None:
            return point
        text = normal(name)
        for found in self._meant(text):
            if len(found) == 1:
                return self._places[found[0]]
            if found:
                raise self._ambiguous(name, found)
        raise self._unknown(name, text)

    def _meant(self, text: str) -> Iterator[list[int]]:
        """Places by ever looser readings of the name."""
        keyed = sorted(set(self._names.equal(text)))
        yield [k for k in keyed if normal(self._places[k].name) == text]
        yield [k for k in keyed if text in map(normal, self._places[k].aliases)]
        yield self._crossings(text)
        yield sorted(k for k in self._sounds.equal(text) if self._places[k].pinyin == text)

    def _ranked(self, text: str) -> Iterator[int]:
        yield from self._names.equal(text)
        yield from self._crossings(text)
        for lines in (self._names, self._sounds):
            yield from lines.equal(text)
            yield from lines.beginning(text)
        yield from self._names.holding(text)
        yield from self._sounds.holding(text)

    def _crossings(self, text: str) -> list[int]:
        """Crossings of the two streets named, in either order; 宝庆路 stands for 宝庆中路 too."""
        parts = [part for part in _BETWEEN.split(_without_crossing_word(text)) if part]
        if len(parts) != 2:
            return []
        first, second = (self._by_street.get(part, set()) for part in parts)
        both = sorted(first & second)
        # "宝庆中路/红旗路" said in full is not also the crossing of 宝庆西路.
        exact = [
            k for k in both if {normal(x) for x in self._places[k].name.split("/")} == {*parts}
        ]
        return exact or both

    def _ambiguous(self, name: str, found: Sequence[int]) -> AmbiguousPlace:
        places = [self._places[k] for k in found[:CANDIDATES_MAX]]
        candidates = tuple(_described(place) for place in places)
        return AmbiguousPlace(
            f"{name!r} names {len(found)} places: {'; '.join(candidates)}; say which, with its"
            " town or with coordinates",
            candidates=candidates,
        )

    def _unknown(self, name: str, text: str) -> UnknownPlace:
        near = tuple(place.name for place in self._near(text))
        hint = f"near names: {', '.join(near)}" if near else "search /v1/places for it"
        return UnknownPlace(
            f"no place is called {name[:QUERY_MAX]!r}; {hint}, or give coordinates",
            candidates=near,
        )

    def _near(self, text: str) -> list[Place]:
        """Names that share the longest piece with the text."""
        text = text[:QUERY_MAX]
        found: dict[int, None] = {}
        for size in range(len(text), min(len(text) - 1, 1), -1):
            for start in range(min(len(text) - size + 1, 8)):
                found.update(dict.fromkeys(islice(self._ranked(text[start : start + size]), 20)))
            if len(found) >= CANDIDATES_MAX or size <= len(text) - 6:
                break
        return [self._places[number] for number in islice(found, CANDIDATES_MAX)]


class _Lines:
    """Keys in one text, short ones first, so that the first hit of a search is the best."""

    def __init__(self, keyed: Iterable[tuple[str, int]]) -> None:
        """Sort the keys; the items must come in the order of their numbers."""
        by_key: dict[str, list[int]] = {}
        for key, number in keyed:
            numbers = by_key.setdefault(key, [])
            if not numbers or numbers[-1] != number:
                numbers.append(number)
        # Sorted twice, by single strings: a third of the time that tuples take.
        keys = sorted(sorted(by_key), key=len)
        lines = [key for key in keys for _ in by_key[key]]
        self._numbers = [number for key in keys for number in by_key[key]]
        self._starts: list[int] = []
        at = 1
        for key in lines:
            self._starts.append(at)
            at += len(key) + 1
        self._text = "\n" + "\n".join(lines) + "\n"

    def equal(self, key: str) -> Iterator[int]:
        """Items with exactly this key."""
        return self._hits(f"\n{key}\n")

    def beginning(self, start: str) -> Iterator[int]:
        """Items whose key begins so."""
        return self._hits(f"\n{start}")

    def holding(self, piece: str) -> Iterator[int]:
        """Items whose key holds the piece."""
        return self._hits(piece)

    def _hits(self, piece: str) -> Iterator[int]:
        skip = 1 if piece.startswith("\n") else 0
        at = self._text.find(piece)
        while at >= 0:
            line = bisect_right(self._starts, at + skip) - 1
            yield self._numbers[line]
            # One hit a line: go on at the end of this one.
            at = self._text.find(piece, self._text.find("\n", at + skip))


def _once(numbers: Iterable[int]) -> Iterator[int]:
    """Each number at its first appearance; takes no more of them than are asked for."""
    seen: set[int] = set()
    for number in numbers:
        if number not in seen:
            seen.add(number)
            yield number


def normal(text: str) -> str:
    """A name as it is compared: full-width to half-width, lower case, no spaces."""
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


def _name_keys(place: Place) -> Iterator[str]:
    for name in (place.name, *place.aliases):
        key = normal(name)
        yield key
        first, between, second = key.partition("/")
        if between:
            yield f"{second}/{first}"


def _spellings(places: Sequence[Place]) -> Iterator[tuple[str, ...]]:
    """Pinyin and initials of each place; those of a crossing come from its streets."""
    streets = {place.name: place for place in places if place.pinyin}
    for place in places:
        first, second = (streets.get(part) for part in (*place.name.split("/"), "")[:2])
        if place.pinyin or first is None or second is None:
            yield place.pinyin, place.initials
        else:
            yield (
                first.pinyin + second.pinyin,
                second.pinyin + first.pinyin,
                first.initials + second.initials,
                second.initials + first.initials,
            )


def _short(street: str) -> str:
    return _PART_OF_STREET.sub("", street)


def _without_crossing_word(text: str) -> str:
    for word in _CROSSING_WORDS:
        if text.endswith(word) and _BETWEEN.search(text):
            # "宝庆路口" loses 口 alone: 路 is part of the street's name.
            return text[:-1] if word == "路口" else text.removesuffix(word)
    return text


def _point(text: str) -> Place | None:
    match = _COORDINATES.fullmatch(unicodedata.normalize("NFKC", text)[:QUERY_MAX])
    if match is None:
        return None
    lon, lat = float(match[1]), float(match[2])
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        return None
    return Place(name=f"{lon},{lat}", kind="coordinates", lon=lon, lat=lat)


def _described(place: Place) -> str:
    name = place.aliases[0] if place.aliases else place.name
    return f"{name} ({place.kind}, {place.lon:.5f},{place.lat:.5f})"

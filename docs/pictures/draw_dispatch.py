"""Draws the picture of the README from a running service: who would go, and by which way.

    .venv/bin/kuaijing serve --demo --data var/demo        # in another terminal
    .venv/bin/python docs/pictures/draw_dispatch.py --token TOKEN --place 西湖桥

All that is drawn comes from the HTTP API. Chinese needs a CJK font (Debian: fonts-noto-cjk);
without one the picture is labelled in English.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import httpx
import matplotlib as mpl
from matplotlib import font_manager

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

CJK_FONTS = ("Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "WenQuanYi Zen Hei")
ROAD_WIDTH = {"motorway": 1.6, "trunk": 1.4, "primary": 1.2, "secondary": 0.9, "tertiary": 0.6}
ON_TIME, LATE, GROUND, ROAD, WORDS = "#56b4e9", "#ff6a3d", "#0b1220", "#4a5f80", "#d8e0ee"
SHAPE = {"response_car": "s", "motorcycle": "^", "command_vehicle": "D", "assault_team": "P"}
AROUND_DEG = 0.014


def main() -> None:
    """Asks the service for a recommendation and draws it."""
    options = _options()
    with httpx.Client(
        base_url=options.url,
        headers={"Authorization": f"Bearer {options.token}"},
        follow_redirects=True,
        timeout=60,
    ) as service:
        roads = service.get("/v1/roads").raise_for_status().json()
        units = service.get("/v1/units?limit=1000").raise_for_status().json()["items"]
        place = service.get("/v1/places", params={"q": options.place}).json()["items"][0]
        body = {"location": place["location"], "category": "help", "priority": 1, "k": 5}
        answer = service.post("/v1/recommendations", json=body).raise_for_status().json()
        ways = {
            candidate["unit_id"]: _way(service, units, candidate, place["location"])
            for candidate in answer["candidates"]
        }
    _draw(roads, units, answer, place, ways=ways, out=options.out)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--token", required=True, help="a dispatcher's token")
    parser.add_argument("--place", default="西湖桥", help="a name, or lon,lat")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures/dispatch.png"))
    return parser.parse_args()


def _way(
    service: httpx.Client,
    units: list[dict[str, Any]],
    candidate: dict[str, Any],
    to: dict[str, Any],
) -> list[list[float]]:
    unit = next(unit for unit in units if unit["id"] == candidate["unit_id"])
    start = {"lon": unit["position"]["lon"], "lat": unit["position"]["lat"]}
    profile = "motorcycle" if candidate["kind"] == "motorcycle" else "response_car"
    body = {"from": start, "to": {"lon": to["lon"], "lat": to["lat"]}, "profile": profile}
    route = service.post("/v1/routes", json=body).raise_for_status().json()
    line: list[list[float]] = route["geometry"]["coordinates"]
    return line


def _draw(
    roads: dict[str, Any],
    units: list[dict[str, Any]],
    answer: dict[str, Any],
    place: dict[str, Any],
    *,
    ways: dict[str, list[list[float]]],
    out: Path,
) -> None:
    chinese = _use_cjk_font()
    figure, axes = plt.subplots(figsize=(12, 8.4), facecolor=GROUND)
    axes.set_facecolor(GROUND)
    _draw_roads(axes, roads)
    _draw_units(axes, units)
    _draw_candidates(axes, answer["candidates"], ways, units, chinese=chinese)
    lon, lat = place["location"]["lon"], place["location"]["lat"]
    axes.plot(lon, lat, marker="*", markersize=22, color="#f0b400", markeredgecolor=GROUND)
    axes.set_xlim(lon - AROUND_DEG, lon + AROUND_DEG)
    axes.set_ylim(lat - AROUND_DEG * 0.63, lat + AROUND_DEG * 0.63)
    axes.set_aspect(1.0 / 0.889)  # cosine of 27.2 degrees north
    axes.set_axis_off()
    where = f"{place['name']}  " if chinese else ""
    target = f"{answer['target_s']} s" if answer["target_s"] else "none"
    note = "模拟路网与警力 " if chinese else ""
    axes.set_title(
        f"{where}target {target}   {note}synthetic roads and positions",
        color=WORDS,
        fontsize=14,
        loc="left",
    )
    figure.savefig(out, dpi=100, bbox_inches="tight", facecolor=GROUND)


def _use_cjk_font() -> bool:
    known = {font.name for font in font_manager.fontManager.ttflist}
    font = next((name for name in CJK_FONTS if name in known), None)
    if font is not None:
        mpl.rcParams["font.family"] = font
    return font is not None


def _draw_roads(axes: Axes, roads: dict[str, Any]) -> None:
    lines = [feature["geometry"]["coordinates"] for feature in roads["features"]]
    widths = [
        ROAD_WIDTH.get(feature["properties"].get("road_class", ""), 0.4)
        for feature in roads["features"]
    ]
    axes.add_collection(LineCollection(lines, linewidths=widths, colors=ROAD))


def _draw_units(axes: Axes, units: list[dict[str, Any]]) -> None:
    for kind, marker in SHAPE.items():
        of_kind = [unit["position"] for unit in units if unit["kind"] == kind]
        axes.scatter(
            [position["lon"] for position in of_kind],
            [position["lat"] for position in of_kind],
            marker=marker,
            s=26,
            color="#8fa3bf",
            zorder=3,
        )


def _draw_candidates(
    axes: Axes,
    candidates: list[dict[str, Any]],
    ways: dict[str, list[list[float]]],
    units: list[dict[str, Any]],
    *,
    chinese: bool,
) -> None:
    for rank, candidate in enumerate(candidates, start=1):
        colour = ON_TIME if candidate["on_target"] else LATE
        way = ways[candidate["unit_id"]]
        axes.plot(*zip(*way, strict=True), color=colour, linewidth=3.2 if rank == 1 else 1.4)
        unit = next(unit for unit in units if unit["id"] == candidate["unit_id"])
        where = (unit["position"]["lon"], unit["position"]["lat"])
        axes.plot(*where, marker=SHAPE[candidate["kind"]], markersize=10, color=colour, zorder=4)
        axes.annotate(
            f"{rank}  {candidate['call_sign'] if chinese else candidate['unit_id']}"
            f"  {candidate['eta_s']:.0f} s",
            where,
            xytext=(8, 6),
            textcoords="offset points",
            color=WORDS,
            fontsize=12,
            fontweight="bold" if rank == 1 else "normal",
        )


if __name__ == "__main__":
    main()

"""Way tags: which roads are in, which way they run, who may drive there."""

from __future__ import annotations

import pytest

from routing.graph import ROAD_CLASSES, ArcFlag
from routing.osm.tags import Skipped, WayRule, read_way


def rule(**tags: str) -> WayRule:
    found = read_way({key.replace("__", ":"): value for key, value in tags.items()})
    assert isinstance(found, WayRule), found
    return found


def flags(**tags: str) -> tuple[int | None, int | None]:
    found = rule(**{"highway": "residential", **tags})
    return found.forward, found.backward


ONE = int(ArcFlag.ONEWAY)
CREW = int(ArcFlag.EMERGENCY_ONLY)


@pytest.mark.parametrize("highway", [name for name in ROAD_CLASSES if name != "ferry"])
def test_each_class_keeps_its_name(highway: str) -> None:
    assert ROAD_CLASSES[rule(highway=highway).road_class] == highway


@pytest.mark.parametrize(
    "highway", ["footway", "path", "cycleway", "steps", "proposed", "construction", "bus_guideway"]
)
def test_what_no_car_drives_is_left_out(highway: str) -> None:
    assert read_way({"highway": highway}) is Skipped.NO_ROAD


def test_areas_and_unknown_values_are_left_out() -> None:
    assert read_way({"highway": "pedestrian", "area": "yes"}) is Skipped.NO_ROAD
    assert read_way({"highway": "spaceway"}) is Skipped.UNKNOWN_CLASS
    assert read_way({"route": "bus"}) is Skipped.NO_ROAD


def test_the_first_of_several_classes_counts() -> None:
    assert ROAD_CLASSES[rule(highway="unclassified;tertiary").road_class] == "unclassified"


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, (0, 0)),
        ({"oneway": "no"}, (0, 0)),
        ({"oneway": "alternating"}, (0, 0)),
        ({"oneway": "yes"}, (ONE, None)),
        ({"oneway": "1"}, (ONE, None)),
        ({"oneway": "-1"}, (None, ONE)),
        ({"oneway": "reverse"}, (None, ONE)),
        ({"junction": "roundabout"}, (ONE | ArcFlag.ROUNDABOUT, None)),
        ({"junction": "circular"}, (ONE | ArcFlag.ROUNDABOUT, None)),
        ({"junction": "roundabout", "oneway": "no"}, (ArcFlag.ROUNDABOUT, ArcFlag.ROUNDABOUT)),
        ({"highway": "motorway"}, (ONE, None)),
        ({"highway": "motorway", "oneway": "no"}, (0, 0)),
        ({"highway": "motorway_link"}, (0, 0)),
        ({"oneway": "yes", "oneway__motor_vehicle": "no"}, (0, 0)),
        ({"oneway": "yes", "oneway__bus": "no"}, (ONE, ONE | CREW)),
        ({"oneway": "yes", "oneway__emergency": "no"}, (ONE, ONE | CREW)),
        ({"oneway": "-1", "busway": "opposite_lane"}, (ONE | CREW, ONE)),
        ({"oneway": "yes", "oneway__motorcycle": "no"}, (ONE, ONE | ArcFlag.NO_CAR)),
        ({"oneway": "yes", "oneway__bicycle": "no"}, (ONE, None)),
    ],
)
def test_direction(tags: dict[str, str], expected: tuple[int | None, int | None]) -> None:
    assert flags(**tags) == expected


def test_a_reversible_road_runs_nobody_knows_where() -> None:
    assert read_way({"highway": "primary", "oneway": "reversible"}) is Skipped.REVERSIBLE


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"access": "yes"}, 0),
        ({"access": "private"}, ArcFlag.PRIVATE),
        ({"access": "destination"}, ArcFlag.PRIVATE),
        ({"access": "delivery"}, ArcFlag.PRIVATE),
        ({"access": "private;delivery"}, ArcFlag.PRIVATE),
        ({"access": "no", "motor_vehicle": "yes"}, 0),
        ({"access": "no", "emergency": "yes"}, CREW),
        ({"access": "no", "bus": "yes"}, CREW),
        ({"access": "no", "psv": "designated"}, CREW),
        ({"motor_vehicle": "emergency"}, CREW),
        ({"access": "no", "service": "emergency_access"}, CREW),
        ({"motorcar": "no"}, ArcFlag.NO_CAR),
        ({"motorcycle": "no"}, ArcFlag.NO_MOTORCYCLE),
        ({"vehicle": "no", "motorcycle": "yes"}, ArcFlag.NO_CAR),
        ({"motorcar": "no", "emergency": "yes"}, 0),
        ({"highway": "pedestrian"}, CREW),
        ({"highway": "pedestrian", "motor_vehicle": "yes"}, 0),
        ({"highway": "pedestrian", "motor_vehicle": "destination"}, ArcFlag.PRIVATE),
        ({"highway": "pedestrian", "motor_vehicle": "no"}, CREW),
        ({"highway": "busway"}, CREW),
        ({"highway": "path", "emergency": "yes"}, CREW),
        ({"highway": "path", "motorcycle": "yes"}, ArcFlag.NO_CAR),
        ({"highway": "footway", "motor_vehicle": "yes"}, 0),
        ({"highway": "track"}, 0),
        ({"highway": "service", "service": "driveway"}, 0),
        ({"bridge": "yes", "layer": "1"}, ArcFlag.BRIDGE),
        ({"bridge": "viaduct"}, ArcFlag.BRIDGE),
        ({"bridge": "no"}, 0),
        ({"tunnel": "yes"}, ArcFlag.TUNNEL),
    ],
)
def test_access(tags: dict[str, str], expected: int) -> None:
    assert flags(**tags) == (expected, expected)


@pytest.mark.parametrize(
    "tags",
    [
        {"access": "no"},
        {"motor_vehicle": "no"},
        {"vehicle": "no"},
        {"access": "no", "emergency": "no", "bus": "yes"},
        {"highway": "pedestrian", "access": "no"},
        {"highway": "busway", "emergency": "no"},
    ],
)
def test_a_road_shut_to_all_motors_is_left_out(tags: dict[str, str]) -> None:
    assert read_way({"highway": "residential", **tags}) is Skipped.CLOSED


def test_access_by_direction() -> None:
    assert flags(motor_vehicle__backward="no") == (0, None)
    assert flags(access="no", vehicle__forward="private") == (ArcFlag.PRIVATE, None)


def test_a_ferry_must_take_cars() -> None:
    assert read_way({"route": "ferry"}) is Skipped.NO_ROAD
    assert read_way({"route": "ferry", "foot": "yes"}) is Skipped.NO_ROAD
    ferry = rule(route="ferry", motor_vehicle="yes")
    assert ROAD_CLASSES[ferry.road_class] == "ferry"
    assert (ferry.forward, ferry.backward) == (0, 0)


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        ({"name": "Hongqi Road", "name__zh": "红旗路", "name__en": "Hongqi Rd"}, "红旗路"),
        ({"name": "Rua Direita"}, "Rua Direita"),
        ({"name__en": "West Lake Bridge"}, "West Lake Bridge"),
        ({"bridge__name": "西湖桥", "ref": "G207"}, "西湖桥"),
        ({"ref": "G207"}, "G207"),
        ({"name": "  宝庆路 "}, "宝庆路"),
        ({"name": "a\x1b[2Jb"}, "a[2Jb"),
        ({}, ""),
    ],
)
def test_name(tags: dict[str, str], name: str) -> None:
    assert rule(highway="primary", **tags).name == name


@pytest.mark.parametrize(("layer", "expected"), [("1", 1), ("-1", -1), ("99", 5), ("0.5", 0)])
def test_layer(layer: str, expected: int) -> None:
    assert rule(highway="primary", layer=layer).layer == expected

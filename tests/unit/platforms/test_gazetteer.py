"""Places are found by what a dispatcher types."""

from __future__ import annotations

import pytest

from platforms.city import Place
from platforms.errors import AmbiguousPlace, UnknownPlace
from platforms.gazetteer import SEARCH_MAX, Gazetteer
from platforms.network_places import named_place

NAMES = ("西湖桥", "西湖路", "西湖南路", "红旗路", "宝庆中路", "宝庆西路", "大安街", "资江一桥")


def _crossing(name: str, lon: float) -> Place:
    return Place(name=name, kind="crossing", lon=lon, lat=27.2)


PLACES = (
    *(named_place(name, "street", 111.4 + k / 100, 27.2) for k, name in enumerate(NAMES)),
    _crossing("宝庆中路/红旗路", 111.46),
    _crossing("宝庆西路/西湖路", 111.45),
    _crossing("宝庆中路/西湖路", 111.44),
    named_place("人民路", "street", 111.03, 27.12, aliases=("隆回人民路",)),
    named_place("人民路", "street", 110.57, 27.07, aliases=("洞口人民路",)),
    named_place("沿江桥", "bridge", 111.465, 27.244),
    named_place("沿江桥快警平台", "platform", 111.467, 27.243, aliases=("沿江桥平台",)),
)


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer(PLACES)


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("西湖桥", "西湖桥"),
        ("西湖", "西湖桥"),
        ("湖南", "西湖南路"),
        ("xihuqiao", "西湖桥"),
        ("XiHu Qiao", "西湖桥"),
        ("xhq", "西湖桥"),
        ("\uff58\uff48\uff51", "西湖桥"),  # full-width
        ("daj", "大安街"),
        ("洞口人民", "人民路"),
        ("红旗路/宝庆中路", "宝庆中路/红旗路"),
        ("宝庆中路\uff0f红旗路", "宝庆中路/红旗路"),  # full-width
        ("红旗路/宝庆路", "宝庆中路/红旗路"),
        ("宝庆中路与红旗路交叉口", "宝庆中路/红旗路"),
        ("红旗路/宝", "宝庆中路/红旗路"),
        ("hqlbqzl", "宝庆中路/红旗路"),
        ("hongqilubaoqing", "宝庆中路/红旗路"),
    ],
)
def test_the_first_answer_of_a_search(gazetteer: Gazetteer, query: str, first: str) -> None:
    assert gazetteer.search(query)[0].name == first


def test_the_order_of_a_search_is_exact_beginning_holding(gazetteer: Gazetteer) -> None:
    names = [place.name for place in gazetteer.search("沿江桥")]
    assert names == ["沿江桥", "沿江桥快警平台"]
    assert [p.name for p in gazetteer.search("西湖")][:3] == ["西湖桥", "西湖路", "西湖南路"]


def test_no_place_is_answered_twice_and_never_more_than_asked(gazetteer: Gazetteer) -> None:
    found = gazetteer.search("路", limit=3)
    assert len(found) == 3
    everything = gazetteer.search("路", limit=10**6)
    assert len(everything) == len({id(place) for place in everything}) <= SEARCH_MAX


@pytest.mark.parametrize("query", ["", "  ", "\n", "没有这个地方", "x" * 1000, "/", "//", "路\n西"])
def test_a_senseless_query_finds_nothing(gazetteer: Gazetteer, query: str) -> None:
    assert gazetteer.search(query) == []


@pytest.mark.parametrize(
    "query", ["111.46,27.24", " 111.46 , 27.24 ", "111.46，27.24", "111.46 27.24"]
)
def test_coordinates_are_a_place(gazetteer: Gazetteer, query: str) -> None:
    for place in (gazetteer.find(query), gazetteer.search(query)[0]):
        assert (place.kind, place.lon, place.lat) == ("coordinates", 111.46, 27.24)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("西湖桥", "西湖桥"),
        ("隆回人民路", "人民路"),
        ("沿江桥", "沿江桥"),
        ("沿江桥平台", "沿江桥快警平台"),
        ("xihuqiao", "西湖桥"),
        ("红旗路/宝庆中路", "宝庆中路/红旗路"),
        ("宝庆路/红旗路", "宝庆中路/红旗路"),
        ("红旗路与宝庆中路交叉路口", "宝庆中路/红旗路"),
        ("西湖路/宝庆中路", "宝庆中路/西湖路"),
    ],
)
def test_the_place_meant(gazetteer: Gazetteer, name: str, found: str) -> None:
    assert gazetteer.find(name).name == found


def test_an_unknown_place_names_those_that_come_near(gazetteer: Gazetteer) -> None:
    with pytest.raises(UnknownPlace, match="near names: 西湖桥") as caught:
        gazetteer.find("西湖大桥")
    assert caught.value.candidates[0] == "西湖桥"
    with pytest.raises(UnknownPlace, match="give coordinates") as caught:
        gazetteer.find("zzzz")
    assert caught.value.candidates == ()


@pytest.mark.parametrize("name", ["人民路", "宝庆路/西湖路", "renminlu"])
def test_an_ambiguous_place_names_those_that_are_meant(gazetteer: Gazetteer, name: str) -> None:
    with pytest.raises(AmbiguousPlace, match="names 2 places") as caught:
        gazetteer.find(name)
    assert len(caught.value.candidates) == 2


def test_ambiguous_streets_are_told_apart_by_their_town(gazetteer: Gazetteer) -> None:
    with pytest.raises(AmbiguousPlace) as caught:
        gazetteer.find("人民路")
    assert [c.split(" ")[0] for c in caught.value.candidates] == ["隆回人民路", "洞口人民路"]


@pytest.mark.parametrize("name", ["", "   ", "91,181", "200,10", "，", "路" * 5000])
def test_a_senseless_name_is_unknown(gazetteer: Gazetteer, name: str) -> None:
    with pytest.raises(UnknownPlace):
        gazetteer.find(name)


def test_an_empty_gazetteer_knows_nothing() -> None:
    empty = Gazetteer(())
    assert len(empty) == 0
    assert empty.search("西湖桥") == []
    with pytest.raises(UnknownPlace):
        empty.find("西湖桥")


def test_sixty_thousand_names_are_searched_as_one_would_look_through_them_all() -> None:
    places = [
        Place(name=f"第{k}街{k % 97}巷", kind="street", lon=111.0, lat=27.0,
              pinyin=f"di{k}jie{k % 97}xiang", initials=f"d{k}j{k % 97}x")
        for k in range(60_000)
    ]  # fmt: skip
    many = Gazetteer(places)
    for query in ("巷", "第59999街", "59999", "xiang", "zzz", "没有"):
        holding = {one.name for one in places if query in one.name or query in one.pinyin}
        found = many.search(query)
        assert {one.name for one in found} <= holding, query
        assert bool(found) == bool(holding), query

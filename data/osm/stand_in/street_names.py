"""Invented street names in the manner of Chinese towns: each one is given once in a town."""

from __future__ import annotations

from random import Random

FIRST = (
    "安宝昌长城崇春大德丰芙富广桂国海和恒红鸿华怀吉江金锦景敬静康乐莲临龙明南宁鹏平清庆群"
    "仁荣瑞润尚盛石泰桃天同万文武西祥新兴秀阳永玉源云正中竹紫"
)
SECOND = (
    "安邦昌城成春德塘丰福岗古谷冠光贵和河湖华化家江井康坤兰乐岭隆茂门民明宁坪平泉仁荣山胜"
    "寿松台田通湾旺溪贤祥兴秀阳义营永园源远云泽洲庄"
)

SUFFIX = {"tertiary": "路", "unclassified": "路", "residential": "街", "living_street": "巷"}
NAMED_SHARE = {"tertiary": 1.0, "unclassified": 1.0, "residential": 0.5, "living_street": 0.15}
"""Real networks leave many lanes without a name."""


class StreetNames:
    """Gives out names that are not taken yet."""

    def __init__(self, chance: Random, *, taken: frozenset[str]) -> None:
        self._chance = chance
        self._taken = set(taken)

    def fresh(self, road_class: str) -> str:
        """A new name, or none for a part of the small streets."""
        if self._chance.random() > NAMED_SHARE[road_class]:
            return ""
        while True:
            first, second = self._chance.choice(FIRST), self._chance.choice(SECOND)
            name = first + second + SUFFIX[road_class]
            if name not in self._taken and first != second:
                self._taken.add(name)
                return name

"""The sheet's words, Chinese with English beside: codes mean nothing on paper."""

from __future__ import annotations

from collections.abc import Mapping

PRIORITIES: Mapping[int, str] = {
    1: "特急 1 most urgent",
    2: "紧急 2 urgent",
    3: "一般 3 normal",
    4: "咨询 4 inquiry",
}

STATUSES: Mapping[str, str] = {
    "pending": "待派警 pending",
    "dispatched": "已派警 dispatched",
    "acked": "已签收 acked",
    "en_route": "出警途中 en route",
    "on_scene": "已到场 on scene",
    "fed_back": "已反馈 fed back",
    "cleared": "已办结 cleared",
    "declined": "拒接 declined",
    "timed_out": "超时未签收 timed out",
    "preempted": "已改派 preempted",
    "cancelled": "已撤销 cancelled",
    "released": "已撤回 released",
}
"""Of incidents and of orders."""

ZONES: Mapping[str, str] = {
    "key_site": "重点部位 key site",
    "core": "中心城区 core urban",
    "other": "其他城区 other urban",
    "outside": "城外 outside",
}

KINDS: Mapping[str, str] = {
    "any": "车或摩托 car or motorcycle",
    "response_car": "巡逻处警车 response car",
    "motorcycle": "摩托 motorcycle",
    "command_vehicle": "平台车 command vehicle",
    "assault_team": "猎豹突击队 assault team",
}

INVENTED: Mapping[str, str] = {"network": "路网 road network", "city": "城市与警力 city and forces"}


def wanted_in_words(unmet: Mapping[str, int]) -> str:
    """What an incident still waits for; "" where nothing."""
    return "；".join(
        f"{count} × {' / '.join(KINDS.get(one, one) for one in kind.split('|'))}"
        for kind, count in sorted(unmet.items())
    )

"""The sheet as a page to print: A4, no script, nothing from outside, large enough to read."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape

from api.sheet.contents import (
    OpenIncidentsSheet,
    SheetIncident,
    SheetOrder,
    SheetPlatform,
    local_time,
)
from api.sheet.words import INVENTED, PRIORITIES, STATUSES, ZONES, wanted_in_words

STYLE = """
@page { size: A4 portrait; margin: 12mm 12mm 16mm; }
body { font: 11pt/1.35 "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Microsoft YaHei",
  "PingFang SC", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", SimSun, sans-serif; color: #000;
  max-width: 186mm; margin: 0 auto; }
h1 { font-size: 18pt; margin: 0; }
h2 { font-size: 14pt; margin: 6mm 0 2mm; }
.en { font-size: 9pt; font-weight: normal; }
.mark { border: 1.2mm solid #000; padding: 1.5mm 3mm; margin: 2mm 0; font-weight: bold; }
.incident { border: 0.4mm solid #000; margin: 0 0 3mm; break-inside: avoid; }
.head { background: #e4e4e4; border-bottom: 0.3mm solid #000; padding: 1mm 2mm; font-weight: bold; }
.urgent .head { border-left: 3mm solid #000; }
.no { float: right; }
.body { padding: 1mm 2mm; }
.body p { margin: 0 0 0.8mm; overflow-wrap: anywhere; }
.wait { font-weight: bold; text-decoration: underline; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
.w1 { width: 12%; }
.w2 { width: 16%; }
.w3 { width: 20%; }
.w4 { width: 32%; }
.one { white-space: nowrap; }
th, td { border: 0.2mm solid #000; padding: 0.8mm 1.5mm; text-align: left; vertical-align: top; }
th { font-weight: normal; font-size: 9pt; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
.hand { height: 9mm; color: #444; font-size: 9pt; }
"""

SYNTHETIC = "合成数据，非真实"
"""On every page: a single one must not pass for the real city's."""


def content_policy(sheet: OpenIncidentsSheet) -> str:
    """What a browser may do with the page: show it."""
    digest = b64encode(sha256(_style(sheet).encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'"


def page_of(sheet: OpenIncidentsSheet) -> str:
    """The page, complete in itself."""
    incidents = "\n".join(
        _incident(number, one, sheet.timezone) for number, one in enumerate(sheet.incidents, 1)
    )
    return f"""<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<title>未结警情单 Open incidents {escape(sheet.at)}</title>
<style>{_style(sheet)}</style>
</head>
<body>
{_top(sheet)}
{incidents or "<p>没有未结警情。<span class='en'>No incident is open.</span></p>"}
{_left_out(sheet)}
<h2>空闲警力 <span class="en">Free units by platform</span></h2>
<table>
<thead><tr><th class="w2">平台 platform</th><th class="w1">数 count</th>
<th>呼号 call signs</th></tr></thead>
<tbody>
{"".join(_platform(one) for one in sheet.platforms)}</tbody>
</table>
</body>
</html>
"""


def _style(sheet: OpenIncidentsSheet) -> str:
    """The page's style, with what stands at the foot of each printed page."""
    at = local_time(sheet.at, sheet.timezone, "%Y-%m-%d %H:%M:%S")
    mark = f"　{SYNTHETIC} SYNTHETIC" if sheet.synthetic else ""
    foot = f'"未结警情单 {at}{mark}　第 " counter(page) " 页，共 " counter(pages) " 页"'
    return f"{STYLE}@page {{ @bottom-center {{ content: {foot}; font-size: 9pt; }} }}\n"


def _top(sheet: OpenIncidentsSheet) -> str:
    at = local_time(sheet.at, sheet.timezone, "%Y-%m-%d %H:%M:%S")
    invented = "、".join(INVENTED.get(one, one) for one in sheet.synthetic)
    mark = (
        f'<p class="mark">{SYNTHETIC}：{escape(invented)}<br>'
        '<span class="en">SYNTHETIC: invented data, not the real city</span></p>'
        if invented
        else ""
    )
    free = sum(len(one.free) for one in sheet.platforms)
    count = len(sheet.incidents) + sheet.left_out
    return f"""<h1>未结警情单 <span class="en">Open incidents</span></h1>
{mark}<p>{escape(sheet.city)} · 截至 <b>{at}</b>（{escape(sheet.timezone)}）
<span class="en">as of, log event {sheet.seq}</span><br>
未结 <b>{count}</b> 起，空闲警力 <b>{free}</b>
<span class="en">open incidents, free units</span></p>
"""


def _incident(number: int, one: SheetIncident, timezone: str) -> str:
    urgent = " urgent" if one.priority == 1 else ""
    place = escape(one.place) or "（无地名 no name）"
    promise = "无承诺 none" if one.target_s is None else f"{one.target_s} 秒 s"
    deadline = local_time(one.deadline_at, timezone)
    until = f"，{deadline} 前 <span class='en'>before</span>" if deadline else ""
    wanted = wanted_in_words(one.unmet)
    waits = f'<p class="wait">尚缺 still wanted：{escape(wanted)}</p>' if wanted else ""
    said = f"<p>{escape(one.description)}</p>" if one.description else ""
    status = STATUSES.get(one.status, one.status)
    return f"""<div class="incident{urgent}">
<div class="head"><span class="no">{escape(one.incident_no)}</span>{number}. \
{PRIORITIES.get(one.priority, one.priority)} · {escape(one.category_name)} \
<span class="en">{escape(one.category)}</span> · {status}</div>
<div class="body">
<p><b>{place}</b> <span class="en">{one.lon:.6f}, {one.lat:.6f}</span></p>
<p>接警 <span class="en">received</span> \
{local_time(one.received_at, timezone, "%m-%d %H:%M:%S")} · \
{ZONES.get(one.zone_class, escape(one.zone_class))} · 见警承诺 <span class="en">promise</span> \
{promise}{until}</p>
{said}{waits}{_orders(one.units, timezone)}</div>
</div>"""


def _orders(orders: list[SheetOrder], timezone: str) -> str:
    rows = "".join(
        f"<tr><td><b>{escape(one.call_sign)}</b> <span class='en'>{escape(one.unit_id)}</span></td>"
        f"<td>{STATUSES.get(one.state, escape(one.state))}"
        f"{'，失联 link lost' if one.link_lost else ''}</td>"
        f"<td>{local_time(one.dispatched_at, timezone)}</td>"
        f"<td>{local_time(one.eta_at, timezone)}</td></tr>"
        for one in orders
    )
    return f"""<table>
<tr><th class="w4">警力 unit</th><th>状态 state</th><th class="w2">派警 sent</th>
<th class="w3">预计到场 expected</th></tr>
{rows}<tr><td class="hand" colspan="4">手记 by hand</td></tr>
</table>
"""


def _platform(one: SheetPlatform) -> str:
    signs = (f'<span class="one">{escape(call_sign)}</span>' for call_sign in one.free)
    units = "、".join(signs) or "无 none"
    return f"<tr><td>{escape(one.name)}</td><td>{len(one.free)}</td><td>{units}</td></tr>\n"


def _left_out(sheet: OpenIncidentsSheet) -> str:
    if not sheet.left_out:
        return ""
    return (
        f'<p class="mark">另有 {sheet.left_out} 起未列出 '
        f'<span class="en">and {sheet.left_out} more that are not listed</span></p>'
    )

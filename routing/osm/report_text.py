"""A network and its import in words, for people at a terminal."""

from __future__ import annotations

from routing.network_file import Manifest
from routing.osm.import_report import ImportReport


def manifest_text(manifest: Manifest) -> str:
    """What a compiled network is, and what its import found."""
    head = (
        ("road version", manifest.road_version),
        ("source", f"{manifest.source_name} (sha256 {manifest.source_sha256[:16]}…)"),
        ("date of data", manifest.data_date or "not said"),
        ("licence", f"{manifest.licence}, {manifest.attribution}"),
    )
    lines = [f"{name:<22}{value}" for name, value in head]
    if manifest.synthetic:
        lines.insert(0, "SYNTHETIC: invented roads, a stand-in for a real extract")
    return "\n".join([*lines, report_text(manifest.report)])


def report_text(report: ImportReport) -> str:
    """The figures of an import, one a line, and what to look at."""
    west, south, east, north = report.bbox
    rows = (
        ("box", f"{west:.4f} {south:.4f} {east:.4f} {north:.4f}"),
        ("nodes", f"{report.node_count:,}"),
        ("arcs", f"{report.arc_count:,}"),
        ("turns", f"{report.turn_count:,}, {report.turns_banned:,} banned"),
        ("roads", f"{report.road_m / 1000:,.1f} km"),
        ("reachable", f"{report.core_arc_count:,} arcs, {report.core_share:.2%} of the length"),
        (
            "cut off",
            f"{report.cut_off_m / 1000:,.1f} km, {report.second_piece_m / 1000:,.1f} km in one",
        ),
        ("with posted limit", f"{report.maxspeed_share:.1%}"),
        ("with name", f"{report.named_share:.1%}"),
        ("turn restrictions", _restrictions(report)),
        ("bridges, tunnels", f"{report.bridge_count:,}, {report.tunnel_count:,}"),
        ("signals, barriers", f"{report.signal_count:,}, {report.barrier_count:,}"),
    )
    lines = [f"{name:<22}{value}" for name, value in rows]
    lines += [
        f"  {name:<20}{metres / 1000:>10,.1f} km" for name, metres in report.road_m_by_class.items()
    ]
    lines += [
        f"left out: {count:,} ways, {reason}" for reason, count in report.ways_skipped.items()
    ]
    lines += [f"look at: {finding}" for finding in report.suspicious]
    return "\n".join(lines)


def _restrictions(report: ImportReport) -> str:
    unused = report.restrictions_unused
    reasons = ", ".join(f"{count} {reason}" for reason, count in unused.items())
    return f"{report.restrictions_used:,} used, {sum(unused.values()):,} not" + (
        f" ({reasons})" if reasons else ""
    )

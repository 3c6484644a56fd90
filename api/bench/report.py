"""What a run tells: tables, budgets and the machine, for people and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from api.bench.machine import machine_line

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one question.

    Attributes:
        title: What was asked.
        rows: Equal keys in each; the keys are the columns.
        note: How it was measured.
    """

    title: str
    rows: Sequence[Mapping[str, Cell]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Budget:
    """A required figure.

    Attributes:
        name: What is required.
        value: What was measured.
        limit: What it must not pass.
        unit: Of both, "" for a ratio.
        at_least: True when the value must not be below the limit instead.
    """

    name: str
    value: float
    limit: float
    unit: str
    at_least: bool = False

    @property
    def kept(self) -> bool:
        """Whether the figure is as required."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def row(self) -> dict[str, Cell]:
        """As a row of a table."""
        sign = ">=" if self.at_least else "<="
        return {
            "required": f"{self.name} {sign} {_short(self.limit)} {self.unit}".rstrip(),
            "measured": f"{_short(self.value)} {self.unit}".rstrip(),
            "kept": "yes" if self.kept else "NO",
        }


@dataclass(slots=True)
class Part:
    """What one part of a run found.

    Attributes:
        name: `search`, `decision`, `post` or `start`.
        tables: Its tables.
        budgets: Its required figures.
        mismatches: Answers that differed; any makes the command fail.
    """

    name: str
    tables: list[Table] = field(default_factory=list)
    budgets: list[Budget] = field(default_factory=list)
    mismatches: int = 0


@dataclass(slots=True)
class Report:
    """One run of `kuaijing bench latency`.

    Attributes:
        command: The command that repeats it.
        machine: See `api.bench.machine`.
        network: Name, size and version of the roads.
        parts: What was found.
        interrupted: True when the run was stopped before its end.
        failures: Parts that could not be measured, and why.
    """

    command: str
    machine: Mapping[str, object]
    network: Mapping[str, Cell]
    parts: list[Part] = field(default_factory=list)
    interrupted: bool = False
    failures: list[str] = field(default_factory=list)

    @property
    def mismatches(self) -> int:
        """Answers that differed, in all parts."""
        return sum(part.mismatches for part in self.parts)

    @property
    def missed(self) -> list[Budget]:
        """Required figures that were not reached."""
        return [budget for part in self.parts for budget in part.budgets if not budget.kept]

    def as_data(self) -> dict[str, object]:
        """Plain data for JSON."""
        return {
            "command": self.command,
            "machine": dict(self.machine),
            "network": dict(self.network),
            "interrupted": self.interrupted,
            "failures": list(self.failures),
            "mismatches": self.mismatches,
            "parts": {part.name: _part_data(part) for part in self.parts},
        }

    def as_markdown(self, heading: str = "##") -> str:
        """Tables for people; reads well on a terminal too.

        Args:
            heading: Level of the topmost heading.
        """
        network = ", ".join(f"{name} {value}" for name, value in self.network.items())
        lines = [f"`{self.command}`", "", machine_line(dict(self.machine)), "", network, ""]
        if self.interrupted:
            lines += ["Stopped before its end: what is missing was not measured.", ""]
        lines += [f"Not measured: {failure}\n" for failure in self.failures]
        for part in self.parts:
            for table in part.tables:
                lines += [f"{heading} {table.title}", "", *markdown_rows(table.rows), ""]
                lines += [table.note, ""] if table.note else []
        budgets = [budget.row() for part in self.parts for budget in part.budgets]
        if budgets:
            lines += [f"{heading} Required figures", "", *markdown_rows(budgets), ""]
        return "\n".join(lines)


def markdown_rows(rows: Sequence[Mapping[str, Cell]]) -> list[str]:
    """A table of Markdown with aligned columns; one line when there are no rows."""
    if not rows:
        return ["(nothing measured)"]
    names = list(rows[0])
    cells = [[_short(row[name]) for name in names] for row in rows]
    widths = [max(len(name), *(len(line[i]) for line in cells)) for i, name in enumerate(names)]
    numeric = [all(isinstance(row[name], int | float | None) for row in rows) for name in names]
    rule = ["-" * (w - 1) + ":" if n else "-" * w for w, n in zip(widths, numeric, strict=True)]
    return [_line(line, widths, numeric) for line in (names, rule, *cells)]


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    padded = (
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, numeric, strict=True)
    )
    return "| " + " | ".join(padded) + " |"


def _short(value: Cell) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        digits = 3 if abs(value) < 10 else 1
        return f"{value:,.{digits}f}"
    return f"{value:,}" if isinstance(value, int) else value


def _part_data(part: Part) -> dict[str, object]:
    return {
        "tables": [
            {"title": table.title, "rows": [dict(row) for row in table.rows], "note": table.note}
            for table in part.tables
        ],
        "budgets": [
            {
                "name": budget.name,
                "value": budget.value,
                "limit": budget.limit,
                "unit": budget.unit,
                "at_least": budget.at_least,
                "kept": budget.kept,
            }
            for budget in part.budgets
        ],
        "mismatches": part.mismatches,
    }

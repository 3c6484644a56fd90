import json

import pytest

from api.bench.report import Budget, Part, Report, Table, markdown_rows
from api.bench.telling import exit_code


def report_with(*budgets: Budget, mismatches: int = 0) -> Report:
    rows = [{"what": "search", "samples": 1_000, "p50_ms": 0.25}]
    part = Part("search", [Table("A question", rows, "How.")], list(budgets), mismatches)
    machine = {"cores": 2, "cpu": "a processor", "ram_gb": 8, "system": "x", "python": "3.11"}
    return Report("kuaijing bench latency", machine, {"network": "town.osm.pbf"}, [part])


KEPT = Budget("p50", 0.4, 0.5, "ms")
MISSED = Budget("p50", 0.6, 0.5, "ms")


@pytest.mark.parametrize(
    ("budget", "kept"),
    [
        (Budget("p50", 0.5, 0.5, "ms"), True),
        (Budget("p50", 0.51, 0.5, "ms"), False),
        (Budget("ratio", 60.0, 50.0, "times", at_least=True), True),
        (Budget("ratio", 49.0, 50.0, "times", at_least=True), False),
        (Budget("nothing measured", float("inf"), 0.5, "ms"), False),
    ],
)
def test_a_budget_is_kept_or_missed(budget: Budget, kept: bool) -> None:
    assert budget.kept is kept


def test_exit_code_tells_figures_from_wrong_answers() -> None:
    assert exit_code(report_with(KEPT)) == 0
    assert exit_code(report_with(KEPT, MISSED)) == 3
    assert exit_code(report_with(KEPT, MISSED, mismatches=1)) == 1


def test_a_failed_part_is_a_failure_and_is_told() -> None:
    report = report_with(KEPT)
    report.failures.append("the server did not come up")

    assert exit_code(report) == 1
    assert "the server did not come up" in report.as_markdown()


def test_json_holds_every_figure() -> None:
    data = json.loads(json.dumps(report_with(KEPT, MISSED).as_data()))

    part = data["parts"]["search"]
    assert part["tables"][0]["rows"] == [{"what": "search", "samples": 1_000, "p50_ms": 0.25}]
    assert [budget["kept"] for budget in part["budgets"]] == [True, False]


def test_markdown_names_machine_command_and_missed_figures() -> None:
    text = report_with(MISSED).as_markdown()

    assert "`kuaijing bench latency`" in text
    assert "2 cores of a processor" in text
    assert "| p50 <= 0.500 ms | 0.600 ms | NO   |" in text


def test_an_interrupted_run_says_so() -> None:
    report = report_with(KEPT)
    report.interrupted = True

    assert "Stopped before its end" in report.as_markdown()


def test_columns_are_aligned_and_numbers_stand_right() -> None:
    assert markdown_rows([{"what": "a", "n": 12_345}, {"what": "long", "n": 1}]) == [
        "| what |      n |",
        "| ---- | -----: |",
        "| a    | 12,345 |",
        "| long |      1 |",
    ]


def test_a_table_without_rows_says_so() -> None:
    assert markdown_rows([]) == ["(nothing measured)"]

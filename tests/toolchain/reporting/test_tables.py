from __future__ import annotations

from dataclasses import replace

from toolchain.reporting.tables import (
    Table,
    budget_table,
    comparison_table,
    cost_table,
    numbers_table,
    operations_table,
    outputs_table,
    proof_table,
    spikes_table,
    verdict_tables,
)
from toolchain.verification.activity import Activity
from toolchain.verification.budget_lines import BudgetLine
from toolchain.verification.comparison import Comparison, NumberQuality, OutputDifference
from toolchain.verification.divergence import Divergence
from toolchain.verification.footprint_proof import Proof
from toolchain.verification.linux_cost import LinuxCost
from toolchain.verification.verdict import FirmwareReport, Verdict

COMPARISON = Comparison("model.onnx", "ONNX Runtime", "measured", 1000, 10_000, 3, None, 998, 985, 987)
REPORT = FirmwareReport(
    "firmware.elf",
    "unicorn",
    "its own",
    (Proof("arena", 800, 800, True), Proof("flash, whole image", 1000, 1050, False)),
    (123_456,),
    480,
    2048,
    790,
)
ACTIVITY = Activity(100, 2345, 288, 15, 1008, 333, 224, {"stem": 0.25, "node": 0.125})
LINES = (
    BudgetLine("firmware.elf", "flash", 53_204, 1_048_576, "measured"),
    BudgetLine("model.onnx", "latency", 1500, 33_000, "measured", "us", "on this machine"),
    BudgetLine("prediction", "energy", 1234, 20_000, "estimated", "uj", "for the board"),
    BudgetLine("prediction", "operations", 1_234_567, 2_000_000, "estimated", "operations"),
)


def row(table: Table, index: int = 0) -> dict[str, str]:
    return {name.removesuffix(">"): cell for name, cell in zip(table.columns, table.rows[index], strict=True)}


def test_budget_has_units_headroom_and_evidence() -> None:
    table = budget_table(LINES)
    assert row(table) == {
        "artifact": "firmware.elf",
        "resource": "flash",
        "used": "52.0 KiB",
        "available": "1,024.0 KiB",
        "headroom": "972.0 KiB",
        "evidence": "measured",
    }
    assert (row(table, 1)["used"], row(table, 1)["evidence"]) == ("1.50 ms", "measured on this machine")
    assert (row(table, 2)["used"], row(table, 2)["headroom"]) == ("1.234 mJ", "18.766 mJ")
    assert (row(table, 3)["used"], row(table, 3)["available"]) == ("1,234,567", "2,000,000")


def test_comparison_has_counts_and_both_accuracies() -> None:
    found = row(comparison_table([COMPARISON]))
    assert (found["integers differing"], found["classes agreeing"]) == ("3 of 10,000", "998 of 1,000")
    assert (found["accuracy"], found["reference"]) == ("98.50%", "98.70%")


def test_numbers_have_a_row_each_and_no_classes() -> None:
    numbers = (
        NumberQuality("steering", 0.9131, 0.9131, 0.012346),
        NumberQuality("range", -0.5, 0.25, 1234.5),
    )
    compared = Comparison(
        "model.onnx", "ONNX Runtime", "measured", 1000, 2000, 0, None, None, None, None, numbers
    )
    assert "accuracy>" not in comparison_table([compared]).columns
    assert row(comparison_table([compared]))["integers differing"] == "0 of 2,000"
    table = numbers_table([compared])
    assert [row(table, index)["number"] for index in (0, 1)] == ["steering", "range"]
    assert (row(table)["R2"], row(table)["mean absolute error"]) == ("0.913", "0.01235")
    assert (row(table, 1)["R2"], row(table, 1)["reference"]) == ("-0.500", "0.250")
    assert numbers_table([COMPARISON]).rows == ()


def test_what_differs_has_a_row_for_each_output_and_for_the_first_spike() -> None:
    spikes = Divergence(3, "stem", 1, 2, 0, 5, 0, 1, 7, 100)
    found = replace(COMPARISON, by_output=(OutputDifference("cat", 2, 40),), spikes=spikes)
    table = outputs_table([found, COMPARISON])
    assert len(table.rows) == 1
    assert (row(table)["images differing"], row(table)["largest difference"]) == ("2 of 1,000", "40")
    table = spikes_table([COMPARISON, found])
    assert len(table.rows) == 1
    assert list(row(table).values())[2:] == ["3", "stem", "1", "2", "0", "5", "1 instead of 0"]
    head = replace(spikes, node="head", time_step=None, channel=None, row=None, column=None)
    assert row(spikes_table([replace(found, spikes=head)]))["spike"] == "all spikes agree"


def test_costs_have_median_and_percentile() -> None:
    table = cost_table([LinuxCost("model.onnx", "onnxruntime", 2048, 1500, 2750, "here")])
    assert list(row(table).values())[2:] == ["2 KiB", "1.500 ms", "2.750 ms", "measured here"]


def test_proof_says_what_is_not_as_predicted() -> None:
    table = proof_table(REPORT)
    assert (row(table)["error"], row(table)["evidence"]) == ("+0.00%", "measured")
    assert (row(table, 1)["error"], row(table, 1)["evidence"]) == ("+5.00%", "measured: NOT as predicted")
    assert [row(table, index)["used"] for index in (2, 3)] == ["480", "123,456"]


def test_operations_have_counts_and_the_rate_of_every_node() -> None:
    table = operations_table(ACTIVITY)
    assert {name: value for name, value, _ in table.rows} == {
        "parameters": "2,345",
        "pixel MACs": "288",
        "read-out MACs": "15",
        "dense ACs": "1,008",
        "effective ACs": "333",
        "membrane updates": "224",
        "spike rate of stem": "0.2500",
        "spike rate of node": "0.1250",
    }
    assert {evidence for _, _, evidence in table.rows} == {"measured"}


def test_verdict_has_a_table_for_each_question() -> None:
    verdict = Verdict("board", "", "", 1000, ACTIVITY, (), (COMPARISON,), (REPORT,), LINES, (), ())
    assert [table.title for table in verdict_tables(verdict)] == [
        "Operations an image, over 100 images",
        "Integers against the reference",
        "Predicted against used: firmware.elf in unicorn",
        "Budget",
    ]

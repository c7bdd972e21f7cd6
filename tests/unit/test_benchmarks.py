"""The benchmarks' own arithmetic, and what they let a README say."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import results
from benchmarks.figures import Figure
from benchmarks.processes import PROBES
from benchmarks.rollback import kinds
from benchmarks.samples import median_ratio
from benchmarks.size import part_of
from benchmarks.table import render_table, show

ROOT = Path(__file__).resolve().parent.parent.parent


def topic(*figures: Figure, date: str = "2026-03-02") -> dict[str, Any]:
    where = {"cpus": 2, "cpu": "fast", "system": "Linux", "python": "3.11", "date": date}
    return {"figures": [figure.as_json() for figure in figures], "machine": where}


def test_a_goal_is_met_up_to_and_at_its_bound() -> None:
    assert Figure("size", 5.0, "MiB", goal=5.0).met is True
    assert Figure("size", 5.01, "MiB", goal=5.0).met is False
    assert Figure("size", 5.0, "MiB").met is None


def test_a_ratio_is_of_medians_so_one_slow_run_does_not_count() -> None:
    assert median_ratio([2.0, 2.0, 90.0], [1.0, 1.0, 1.0], seed=1).value == 2.0


def test_the_interval_holds_the_ratio_and_is_as_wide_as_the_runs_differ() -> None:
    steady = median_ratio([2.0, 2.1, 2.0, 1.9, 2.0], [1.0] * 5, seed=1)
    shaky = median_ratio([1.0, 3.0, 2.0, 1.5, 2.5], [1.0] * 5, seed=1)
    assert steady.low <= steady.value <= steady.high
    assert shaky.high - shaky.low > steady.high - steady.low


def test_what_slowed_both_runs_of_a_pair_leaves_no_trace_in_the_interval() -> None:
    bare = [1.0, 4.0, 2.0, 8.0, 1.0]
    twice = median_ratio([2 * each for each in bare], bare, seed=1)
    assert (twice.low, twice.high) == (2.0, 2.0)


def test_the_same_seed_gives_the_same_interval() -> None:
    ours, bare = [1.0, 3.0, 2.0, 1.5], [1.0, 1.2, 0.9, 1.1]
    assert median_ratio(ours, bare, seed=7) == median_ratio(ours, bare, seed=7)


@pytest.mark.parametrize(("ours", "bare"), [([1.0], [1.0, 2.0]), ([], [])])
def test_runs_that_are_no_pairs_are_refused(ours: list[float], bare: list[float]) -> None:
    with pytest.raises(ValueError, match="pairs"):
        median_ratio(ours, bare, seed=1)


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [(6, "", "6"), (1.155, "x", "1.16 x"), (70.44, "MB", "70.4 MB"), (955.4, "ms", "955 ms")],
)
def test_numbers_are_shown_with_the_digits_that_count(value: float, unit: str, shown: str) -> None:
    assert show(value, unit) == shown


def test_a_missed_goal_stands_out_in_the_table() -> None:
    table = render_table({"size": topic(Figure("zip", 2.0, "MiB", 5), Figure("up", 6, "s", 5))})
    assert "| zip | 2 MiB | ≤ 5 MiB | yes |" in table
    assert "| up | 6 s | ≤ 5 s | **no** |" in table


def test_the_table_says_once_for_each_day_and_machine_where_it_was_measured() -> None:
    one, two = topic(Figure("a", 1)), topic(Figure("b", 2))
    assert render_table({"a": one, "b": two}).count("Measured on") == 1
    later = topic(Figure("b", 2), date="2026-03-03")
    assert render_table({"a": one, "b": later}).count("Measured on") == 2


def test_what_is_kept_is_read_back_in_its_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "PATH", tmp_path / "results.json")
    assert results.read() == {}
    results.write({"size": {"a": 1}, "memory": {}})
    assert list(results.read()) == ["size", "memory"]


def test_the_committed_results_judge_each_goal_as_its_figure_says() -> None:
    figures = [figure for each in results.read().values() for figure in each["figures"]]
    goals = [figure for figure in figures if "goal" in figure]
    assert goals
    assert all(each["met"] == (each["value"] <= each["goal"]) for each in goals)


def test_the_bare_handler_has_the_clients_that_a_look_creates() -> None:
    def services(sources: Iterable[Path]) -> set[str]:
        text = "".join(source.read_text() for source in sources)
        return set(re.findall(r"""\bclient\(\s*["']([a-z0-9-]+)["']""", text))

    rooms = ("core", "traffic_shift")
    look = [each for room in rooms for each in (ROOT / "functions" / room).rglob("*.py")]
    echo = {"sqs"}  # which traffic shift does not have
    assert services([PROBES / "bare_handler.py"]) == services(look) - echo


def test_calls_of_a_service_that_no_kind_names_are_shown_and_not_lost() -> None:
    calls = [{"service": name} for name in ("sagemaker", "monitoring", "ssm", "sts")]
    assert kinds(calls) == {"levers": 2, "switch": 1, "other": 1}


def test_service_models_count_by_themselves_in_the_size() -> None:
    model = Path("botocore/data/sns/2010-03-31/service-2.json.gz")
    assert part_of(model) == "botocore's model of sns"
    assert part_of(Path("botocore/data/endpoints.json")) == "botocore"
    assert part_of(Path("six.py")) == "six.py"

"""Composite alarms' AlarmRule: how it reads, and what is none.

Source: API_PutCompositeAlarm.
"""

from __future__ import annotations

import pytest

from local.cloud.cloudwatch.alarms import State
from local.cloud.cloudwatch.composite import RuleError, children, holds, parse_rule

STATES: dict[str, State] = {"cpu": "ALARM", "disk": "OK", "new one": "INSUFFICIENT_DATA"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ALARM(cpu)", True),
        ('ALARM("cpu")', True),
        ("OK(disk) AND ALARM(cpu)", True),
        ("ALARM(disk) OR ALARM(cpu)", True),
        ("ALARM(cpu) AND NOT ALARM(disk)", True),
        ("NOT ALARM(cpu) OR TRUE", True),
        ("NOT (ALARM(cpu) OR TRUE)", False),
        ("TRUE OR TRUE AND FALSE", True),
        ("(TRUE OR TRUE) AND FALSE", False),
        ("FALSE", False),
        ('INSUFFICIENT_DATA("new one")', True),
        ("INSUFFICIENT_DATA(new one)", True),
    ],
)
def test_not_binds_before_and_before_or(text: str, expected: bool) -> None:
    assert holds(parse_rule(text), STATES.__getitem__) is expected


def test_children_are_named_once_by_name_or_arn() -> None:
    arn = "arn:aws:cloudwatch:eu-west-1:210987654321:alarm:disk"
    rule = parse_rule(f'ALARM(cpu) AND (OK("{arn}") OR NOT OK(cpu))')
    assert children(rule) == ["cpu", arn]


def test_a_quoted_name_may_hold_anything() -> None:
    assert children(parse_rule(r'ALARM("a (b) \"c\"")')) == ['a (b) "c"']


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cpu",
        "ALARM()",
        "ALARM(cpu",
        "ALARM(cpu) ALARM(disk)",
        "ALARM(cpu) AND",
        "(ALARM(cpu)",
        "ALARM(cpu) XOR ALARM(disk)",
        "AT_LEAST(1, ALARM, (cpu))",
        "alarm(cpu)",
    ],
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(RuleError):
        parse_rule(text)


def test_there_are_at_most_a_hundred_children() -> None:
    assert len(children(parse_rule(" OR ".join(f"ALARM(a{n})" for n in range(100))))) == 100
    with pytest.raises(RuleError):
        parse_rule(" OR ".join(f"ALARM(a{n})" for n in range(101)))


def test_there_are_at_most_five_hundred_elements() -> None:
    with pytest.raises(RuleError):
        parse_rule(" OR ".join(["TRUE"] * 501))

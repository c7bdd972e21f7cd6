"""Composite alarms' AlarmRule: parsed once, evaluated over the children's states.

Source: API_PutCompositeAlarm (functions, operators, 100 children, 500 elements).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from .alarms import State

_MOST_CHILDREN = 100
_MOST_ELEMENTS = 500
_STATES: dict[str, State] = {
    "ALARM": "ALARM",
    "OK": "OK",
    "INSUFFICIENT_DATA": "INSUFFICIENT_DATA",
}
_TOKEN = re.compile(
    r"\s*(?:(?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*"
    r"(?:\"(?P<quoted>(?:[^\"\\]|\\.)+)\"|(?P<bare>[^\s\"()]+(?:[ \t]+[^\s\"()]+)*))\s*\)"
    r"|(?P<word>AND|OR|NOT|TRUE|FALSE)\b|(?P<parenthesis>[()]))"
)


class RuleError(ValueError):
    """The text is no AlarmRule."""


@dataclass(frozen=True, slots=True)
class InState:
    """True while the alarm named (by name or ARN) is in the state."""

    alarm: str
    state: State


@dataclass(frozen=True, slots=True)
class Constant:
    holds: bool


@dataclass(frozen=True, slots=True)
class Not:
    rule: Rule


@dataclass(frozen=True, slots=True)
class All:
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    rules: tuple[Rule, ...]


Rule = InState | Constant | Not | All | AnyOf


def parse_rule(text: str) -> Rule:
    """The rule as a tree: NOT binds before AND, AND before OR. Raises RuleError."""
    parser = _Parser(text)
    rule = parser.whole()
    if len(children(rule)) > _MOST_CHILDREN:
        raise RuleError(f"more than {_MOST_CHILDREN} children alarms")
    return rule


def children(rule: Rule) -> list[str]:
    """The alarms a rule names, as written, each once, in order."""
    match rule:
        case InState(alarm):
            return [alarm]
        case Constant():
            return []
        case Not(inner):
            return children(inner)
        case All(rules) | AnyOf(rules):
            return list(dict.fromkeys(name for one in rules for name in children(one)))


def holds(rule: Rule, state_of: Callable[[str], State]) -> bool:
    """Whether the rule is true; `state_of` gives the state of a child as the rule names it."""
    match rule:
        case InState(alarm, state):
            return state_of(alarm) == state
        case Constant(value):
            return value
        case Not(inner):
            return not holds(inner, state_of)
        case All(rules):
            return all(holds(one, state_of) for one in rules)
        case AnyOf(rules):
            return any(holds(one, state_of) for one in rules)


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[Rule | str] = []
        at, text = 0, text.rstrip()
        while at < len(text):
            if not (match := _TOKEN.match(text, at)):
                raise RuleError(f"unexpected {text[at:].strip()[:40]!r}")
            at = match.end()
            if state := match["state"]:
                quoted = match["quoted"]
                name = re.sub(r"\\(.)", r"\1", quoted) if quoted else match["bare"]
                self._tokens.append(InState(name, _STATES[state]))
            elif (word := match["word"]) in ("TRUE", "FALSE"):
                self._tokens.append(Constant(word == "TRUE"))
            else:
                self._tokens.append(word or match["parenthesis"])
        elements = [one for one in self._tokens if one not in ("AND", "OR", "NOT")]
        if len(elements) > _MOST_ELEMENTS:
            raise RuleError(f"more than {_MOST_ELEMENTS} elements")
        self._tokens.reverse()

    def whole(self) -> Rule:
        rule = self._any()
        if self._tokens:
            raise RuleError(f"unexpected {self._shown(self._tokens[-1])}")
        return rule

    def _take(self, word: str) -> bool:
        if self._tokens and self._tokens[-1] == word:
            self._tokens.pop()
            return True
        return False

    def _any(self) -> Rule:
        rules = [self._all()]
        while self._take("OR"):
            rules.append(self._all())
        return rules[0] if len(rules) == 1 else AnyOf(tuple(rules))

    def _all(self) -> Rule:
        rules = [self._not()]
        while self._take("AND"):
            rules.append(self._not())
        return rules[0] if len(rules) == 1 else All(tuple(rules))

    def _not(self) -> Rule:
        return Not(self._not()) if self._take("NOT") else self._atom()

    def _atom(self) -> Rule:
        if not self._tokens:
            raise RuleError("unexpected end of rule")
        if self._take("("):
            rule = self._any()
            if not self._take(")"):
                raise RuleError("a parenthesis is not closed")
            return rule
        token = self._tokens.pop()
        if isinstance(token, str):
            raise RuleError(f"unexpected {self._shown(token)}")
        return token

    @staticmethod
    def _shown(token: Rule | str) -> str:
        return repr(token if isinstance(token, str) else "an alarm state function")

"""Metric math: a small parser and evaluator for the part of it that alarms and looks use.

Everything else is refused by name. Source of the syntax and semantics: CloudWatch User Guide,
using-metric-math.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

FUNCTIONS = {
    "ABS": 1, "AVG": 1, "CEIL": 1, "FILL": 2, "FLOOR": 1, "IF": None,
    "MAX": 1, "METRICS": None, "MIN": 1, "PERIOD": 1, "SUM": 1,
}  # fmt: skip


class ExpressionError(ValueError):
    """The expression is not metric math, or not the part of it that is built."""


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Name:
    id: str


@dataclass(frozen=True, slots=True)
class Word:
    """REPEAT or LINEAR, the fillers of FILL."""

    value: str


@dataclass(frozen=True, slots=True)
class Text:
    value: str


@dataclass(frozen=True, slots=True)
class Array:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Negative:
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple[Node, ...]


Node = Number | Name | Word | Text | Array | Negative | Binary | Call

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<text>\"[^\"]*\"|'[^']*')|(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/^<>()\[\],]))"
)
_COMPARISONS = frozenset({"==", "!=", "<=", ">=", "<", ">"})
_DEEPEST = 100


def parse(text: str) -> Node:
    """The expression as a tree. Raises ExpressionError with what is wrong and where."""
    return _Parser(text).whole()


def names(node: Node) -> frozenset[str]:
    """Every id the expression mentions."""
    match node:
        case Name(id):
            return frozenset({id})
        case Negative(operand):
            return names(operand)
        case Binary(_, left, right):
            return names(left) | names(right)
        case Array(parts) | Call(_, parts):
            return frozenset().union(*map(names, parts))
        case Number() | Word() | Text():
            return frozenset()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at, text = 0, text.rstrip()
        while at < len(text):
            if not (match := _TOKEN.match(text, at)):
                raise ExpressionError(f"unexpected character {text[at:].strip()[0]!r}")
            kind = match.lastgroup or ""
            self._tokens.append((kind, match[kind]))
            at = match.end()
        self._next = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._or()
        if self._next < len(self._tokens):
            self._unexpected()
        return node

    def _unexpected(self) -> NoReturn:
        if self._next == len(self._tokens):
            raise ExpressionError("unexpected end of expression")
        raise ExpressionError(f"unexpected {self._tokens[self._next][1]!r}")

    def _take(self, *wanted: str) -> str | None:
        """The next token if it is one of these signs or words, and step over it."""
        if self._next < len(self._tokens):
            kind, token = self._tokens[self._next]
            if kind != "text" and token in wanted:
                self._next += 1
                return token
        return None

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            self._unexpected()

    def _or(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ExpressionError("nested too deeply")
        node = self._and()
        while self._take("OR", "||"):
            node = Binary("OR", node, self._and())
        self._depth -= 1
        return node

    def _and(self) -> Node:
        node = self._comparison()
        while self._take("AND", "&&"):
            node = Binary("AND", node, self._comparison())
        return node

    def _comparison(self) -> Node:
        node = self._sum()
        while operator := self._take(*_COMPARISONS):
            node = Binary(operator, node, self._sum())
        return node

    def _sum(self) -> Node:
        node = self._product()
        while operator := self._take("+", "-"):
            node = Binary(operator, node, self._product())
        return node

    def _product(self) -> Node:
        node = self._unary()
        while operator := self._take("*", "/"):
            node = Binary(operator, node, self._unary())
        return node

    def _unary(self) -> Node:
        minus = 0
        while self._take("-"):
            minus += 1
        node = self._power()
        return Negative(node) if minus % 2 else node

    def _power(self) -> Node:
        node = self._atom()
        if self._take("^"):
            return Binary("^", node, self._unary())
        return node

    def _atom(self) -> Node:
        if self._take("("):
            node = self._or()
            self._expect(")")
            return node
        if self._take("["):
            return Array(self._list("]"))
        if self._next == len(self._tokens):
            self._unexpected()
        kind, token = self._tokens[self._next]
        if kind == "sign":
            self._unexpected()
        self._next += 1
        match kind:
            case "number":
                return Number(float(token))
            case "text":
                return Text(token[1:-1])
        if self._take("("):
            return self._call(token)
        if token in ("REPEAT", "LINEAR"):
            return Word(token)
        if not token[0].islower():
            raise ExpressionError(f"{token!r} is no id: an id starts with a lowercase letter")
        return Name(token)

    def _list(self, closing: str) -> tuple[Node, ...]:
        items: list[Node] = []
        if self._take(closing):
            return ()
        while True:
            items.append(self._or())
            if self._take(closing):
                return tuple(items)
            self._expect(",")

    def _call(self, function: str) -> Node:
        if function not in FUNCTIONS:
            raise ExpressionError(f"unsupported function {function!r}")
        arguments = self._list(")")
        arity = FUNCTIONS[function]
        allowed = {"IF": (2, 3), "METRICS": (0, 1)}.get(function, (arity,))
        if len(arguments) not in allowed:
            raise ExpressionError(f"{function} does not take {len(arguments)} arguments")
        return Call(function, arguments)

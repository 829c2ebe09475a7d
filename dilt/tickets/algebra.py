"""Mask algebra in words: tickets that a user defines from trajectories and other tickets, ``low & high - core``.

=============  =====================================================================================================
``core``       the mask of a trajectory or ticket, after the round at which the defined ticket is made
``core[2]``    the same after round 2, whatever the round at which the ticket is made
``a & b``      what both keep; binds tightest
``a | b``      what either keeps
``a - b``      what a keeps and b does not; like ``|``, taken from left to right: ``a - b | c`` is ``(a - b) | c``
``(a | b)``    first of all
=============  =====================================================================================================

Names have hyphens too (``specialist-low``), so a difference has spaces or parentheses on both sides of its sign.
Which names there are, `selection` and `configuration` decide; whose masks they are, `making`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from dilt.tickets.masks import Mask
from dilt.tickets.names import TicketName

NAME = r"[A-Za-z0-9][A-Za-z0-9_+@~-]*"
_TOKEN = re.compile(rf"(?P<name>{NAME})|(?P<round>\[\d+\])|(?P<sign>[&|()-])|(?P<other>\S)", re.ASCII)
_END = "the end"
Lookup = Callable[[str, int | None], Mask]


class Expression(ABC):
    """What a defined ticket is made of; `parse` reads it, ``str`` writes it again with no needless parentheses."""

    @abstractmethod
    def names(self) -> Iterator[Named]:
        """Everything that is named, from left to right."""


@dataclass(frozen=True)
class Named(Expression):
    """A trajectory's or ticket's mask.

    Attributes:
        name: of the trajectory or ticket.
        round: after which the mask is taken; None for the round at which the defined ticket is made.
        position: of the name's first character in the text, from 1, for messages; two that differ in it are equal.
    """

    name: str
    round: int | None = None
    position: int = field(default=1, compare=False)

    def names(self) -> Iterator[Named]:
        """Itself."""
        yield self

    def __str__(self) -> str:
        return self.name if self.round is None else f"{self.name}[{self.round}]"


@dataclass(frozen=True)
class Combined(Expression):
    """Two expressions joined by one of the signs ``&``, ``|`` and ``-``."""

    sign: str
    left: Expression
    right: Expression

    def names(self) -> Iterator[Named]:
        """Those of the left side, then those of the right."""
        yield from self.left.names()
        yield from self.right.names()

    def __str__(self) -> str:
        left, right = str(self.left), str(self.right)
        if isinstance(self.left, Combined) and self.sign == "&" != self.left.sign:
            left = f"({left})"
        if isinstance(self.right, Combined) and (self.sign == "&" or self.right.sign != "&"):
            right = f"({right})"
        return f"{left} {self.sign} {right}"


_SETS: dict[str, Callable[[Mask, Mask], Mask]] = {"&": Mask.__and__, "|": Mask.__or__, "-": Mask.__sub__}


def evaluate(expression: Expression, lookup: Lookup) -> Mask:
    """The mask of an expression.

    Args:
        lookup: the mask of a name after a round; None is the round at which the defined ticket is made.
    """
    if isinstance(expression, Combined):
        left, right = evaluate(expression.left, lookup), evaluate(expression.right, lookup)
        return _SETS[expression.sign](left, right)
    assert isinstance(expression, Named)
    return lookup(expression.name, expression.round)


def parse(text: str) -> Expression:
    """The expression that a text is.

    Raises:
        ValueError: it is none; one line names the character, from 1, and what should stand there.
    """
    reader = _Reader(text)
    found = reader.expression()
    if reader.next.text != _END:
        raise reader.error("expected &, |, - or the end")
    return found


def complaint(text: str, position: int, culprit: str, words: str) -> str:
    """What is wrong with a part of an expression, and where.

    Args:
        position: of the culprit's first character, from 1.
    """
    shown = culprit if culprit == _END else f"'{culprit}'"
    return f"'{text}': at character {position}, {shown}: {words}"


def cycle(expressions: Mapping[str, Expression]) -> list[str]:
    """Defined tickets of which each is made of the next and the last of the first, which comes again at the end.

    A control ``x@y`` is made of y. Rounds do not matter: none of the tickets could ever be made.

    Returns:
        Their names; empty if there is no such circle.
    """
    done: set[str] = set()

    def circle(path: list[str]) -> list[str]:
        for of in expressions[path[-1]].names():
            name = str(TicketName.parse(of.name).counted)
            if name in path:
                return [*path[path.index(name) :], name]
            if name in expressions and name not in done and (found := circle([*path, name])):
                return found
        done.add(path[-1])
        return []

    return next((found for name in expressions if (found := circle([name]))), [])


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    position: int  # from 1


class _Reader:
    """Reads an expression by recursive descent.

    An expression is ``product (("|" | "-") product)*``; a product is ``operand ("&" operand)*``; an operand is a name,
    with or without a round in brackets, or an expression in parentheses.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        tokens = [_Token(str(m.lastgroup), m.group(), m.start() + 1) for m in _TOKEN.finditer(text)]
        self._tokens = iter([*tokens, _Token("end", _END, len(text) + 1)])
        self.next = next(self._tokens)

    def error(self, words: str) -> ValueError:
        """What is wrong with the next token."""
        return ValueError(complaint(self._text, self.next.position, self.next.text, words))

    def expression(self) -> Expression:
        """Intersections joined by ``|`` and ``-``."""
        left = self._product()
        while self.next.text in ("|", "-"):
            left = Combined(self._sign(), left, self._product())
        return left

    def _product(self) -> Expression:
        left = self._operand()
        while self.next.text == "&":
            left = Combined(self._sign(), left, self._operand())
        return left

    def _operand(self) -> Expression:
        if self.next.text == "(":
            self._take()
            inner = self.expression()
            if self.next.text != ")":
                raise self.error("expected &, |, - or ')'")
            self._take()
            return inner
        if self.next.kind != "name":
            raise self.error("expected a name or '('")
        if self.next.text.endswith("-"):
            raise self.error("a difference needs a space on both sides of -")
        named = self._take()
        if self.next.kind == "round" and self.next.position == named.position + len(named.text):
            return Named(named.text, self._round(), named.position)
        if self.next.text in ("[", "]") or self.next.kind == "round":
            raise self.error("a round stands right after a name, as in core[2]")
        return Named(named.text, None, named.position)

    def _round(self) -> int:
        round_ = int(self.next.text.strip("[]"))
        if round_ < 1:
            raise self.error("rounds count from 1; the mask before them is called dense")
        self._take()
        return round_

    def _sign(self) -> str:
        if self.next.text == "-":
            before = self._text[: self.next.position - 1][-1:]
            after = self._text[self.next.position :][:1]
            if not (before.isspace() or before in ")]") or (after and not (after.isspace() or after == "(")):
                raise self.error("a difference needs a space on both sides of -")
        return self._take().text

    def _take(self) -> _Token:
        taken = self.next
        self.next = next(self._tokens)
        return taken

"""Allowed: which numbers a setting takes, in words and as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
from typing import Any, Literal, Protocol


class Allowed(Protocol):
    """Which numbers a setting takes; `str` describes them."""

    def __contains__(self, number: Any, /) -> bool: ...
    def to_dict(self) -> dict[str, Any]:
        """The allowed numbers as plain data."""
        ...


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, with the ends that are `closed` as in scikit-learn's Interval.

    `closed` is both, left, right or neither.
    """

    low: float = -inf
    high: float = inf
    closed: Literal["both", "left", "right", "neither"] = "both"

    def __contains__(self, number: Any, /) -> bool:
        above = self.low <= number if self.closed in ("both", "left") else self.low < number
        below = number <= self.high if self.closed in ("both", "right") else number < self.high
        return above and below

    def to_dict(self) -> dict[str, Any]:
        """The ends; None where there is none."""
        ends = {"low": self.low, "high": self.high}
        return {k: v if isfinite(v) else None for k, v in ends.items()} | {"closed": self.closed}

    def __str__(self) -> str:
        low, high = f"{self.low:,}", f"{self.high:,}"
        if self.high == inf:
            return f"from {low} up" if self.closed in ("both", "left") else f"above {low}"
        return {
            "both": f"from {low} to {high}",
            "left": f"from {low} to below {high}",
            "right": f"above {low} and up to {high}",
            "neither": f"between {low} and {high}",
        }[self.closed]


@dataclass(frozen=True)
class ShareOrCount:
    """A share of something from 0 to below 1, or a whole number of units from 1 on."""

    unit: str  # steps

    def __contains__(self, number: Any, /) -> bool:
        return 0 <= number < 1 or (number >= 1 and float(number).is_integer())

    def to_dict(self) -> dict[str, Any]:
        """The ends, and what is counted from 1 on."""
        return Range(0, closed="left").to_dict() | {"whole_from_1": self.unit}

    def __str__(self) -> str:
        return f"that is a share from 0 to below 1 or a whole number of {self.unit}"


@dataclass(frozen=True)
class ZeroOr:
    """Zero for none, or a number of a range."""

    range: Range

    def __contains__(self, number: Any, /) -> bool:
        return number == 0 or number in self.range

    def to_dict(self) -> dict[str, Any]:
        """The ends of the range, and that zero is allowed too."""
        return self.range.to_dict() | {"zero": True}

    def __str__(self) -> str:
        return f"that is 0 or {self.range}"


class NamedInteger(int):
    """A whole number that people read and write as a word; JSON holds the number."""

    word: str

    def __new__(cls, number: int, word: str) -> NamedInteger:
        named = super().__new__(cls, number)
        named.word = word
        return named

    def __reduce__(self) -> tuple[type[NamedInteger], tuple[int, str]]:
        return NamedInteger, (int(self), self.word)

    def __str__(self) -> str:
        return self.word

    def __repr__(self) -> str:
        return self.word

    def __format__(self, spec: str) -> str:
        return self.word


ANY = Range()
COUNT = Range(0)
SHARE = Range(0, 1, closed="left")

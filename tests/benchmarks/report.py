"""How a benchmark's figures are shown: a Markdown table, ready for docs/benchmarks.md."""

import platform
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure beside its peer's in the same run."""

    what: str
    ours: float
    peer: str
    theirs: float
    ratio: float
    goal: str

    def __str__(self) -> str:
        figures = [self.what, _number(self.ours), self.peer, _number(self.theirs), f"{self.ratio:.2f}", self.goal]
        return f"| {' | '.join(figures)} |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def show(rows: Iterable[Row]) -> None:
    """Print the figures."""
    print(f"Python {platform.python_version()}, {platform.machine()}\n")
    print("| what | Coverslip | beside | its figure | ratio | goal |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        print(row)

"""What somebody finds who looks at a machine, a cluster or a workspace: a verdict, and the command that mends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["PASS", "WARN", "FAIL"]
PASS: Verdict = "PASS"
WARN: Verdict = "WARN"
FAIL: Verdict = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    verdict: Verdict
    what: str
    said: str
    cure: str = ""
    """A command, or a key to set."""

    def __str__(self) -> str:
        return f"{self.verdict}  {self.what:<14} {self.said}{f'  ->  {self.cure}' if self.cure else ''}"

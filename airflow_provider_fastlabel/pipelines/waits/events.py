"""How a wait can end."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

SUCCESS = "success"
FAILED = "failed"
ERROR = "error"
TIMEOUT = "timeout"
EXECUTION_TIMEOUT = "execution_timeout"

STATUSES = frozenset({SUCCESS, FAILED, ERROR, TIMEOUT, EXECUTION_TIMEOUT})
"""Every way a wait can end. Frozen: a triggerer and a worker of different releases must understand each other.

``success``: what was waited for has come. ``failed``: FastLabel says it will not come. ``error``: FastLabel refuses to
answer, for a reason that does not pass. ``timeout`` and ``execution_timeout``: the wait's or the task's deadline.
"""


@dataclass(frozen=True)
class WaitEvent:
    """The end of a wait.

    :param status: one of :data:`STATUSES`.
    :param message: one sentence for the log and the error.
    :param facts: what was last seen, JSON values only.
    :param carry: what the task handed to its trigger to get back, JSON values only.
    """

    status: str
    message: str
    facts: dict[str, Any] = field(default_factory=dict)
    carry: dict[str, Any] = field(default_factory=dict)

    def standing(self) -> dict[str, Any]:
        """Return how far the wait came, in JSON values; ``summary`` says it in words."""
        seen: dict[str, Any] = {name: self.facts[name] for name in ("done", "total", "needed") if name in self.facts}
        return {"summary": f"The wait is over: {self.message}", **seen}

    def payload(self) -> dict[str, Any]:
        """Return the event as the JSON object a trigger sends."""
        return asdict(self)

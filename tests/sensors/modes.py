"""The three ways to wait; every test of an end runs in all of them, so that they cannot differ."""

from __future__ import annotations

import pytest

modes = pytest.mark.parametrize(
    "mode",
    [{"deferrable": False}, {"deferrable": False, "mode": "reschedule"}, {"deferrable": True}],
    ids=["poke", "reschedule", "deferrable"],
)

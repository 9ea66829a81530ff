"""Choices that whoever starts a pipeline makes by a word; they stand here so that a DAG is parsed without the work."""

from __future__ import annotations

from typing import Literal

OnExists = Literal["skip", "update", "fail"]
"""What an import does with a file whose task exists."""
OnDifference = Literal["warn", "fail"]
"""What an import does with a file that is another one than its task was made of."""
UnknownAttributes = Literal["fail", "ignore", "create"]
"""What an import does with attributes that a class does not have."""

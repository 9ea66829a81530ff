"""Settings for the formats' tests."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes says nothing about it on a machine that does other things too.
settings.register_profile("formats", deadline=None, max_examples=60)
settings.load_profile("formats")

"""Settings for the formats' tests."""

from __future__ import annotations

import os

from hypothesis import settings

# How long an example takes says nothing about it on a machine that does other things too. CI judges a commit, so it
# tries the same examples every time; every run elsewhere looks for new ones.
settings.register_profile(
    "formats",
    deadline=None,
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "60")),
    derandomize="CI" in os.environ,
)
settings.load_profile("formats")

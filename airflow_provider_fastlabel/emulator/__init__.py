"""A FastLabel-compatible server for one machine, for development and for tests.

It is a second, independent reading of the API: it imports nothing from the client. What FastLabel does not
document is listed in :mod:`airflow_provider_fastlabel.emulator.choices` and at ``GET /_emulator/choices``.

``with Emulator() as emulator:`` starts it in a thread; ``python -m airflow_provider_fastlabel.emulator`` starts it
as a process; the pytest fixture ``fastlabel_emulator`` lives in :mod:`.pytest_plugin`.
"""

from __future__ import annotations

from airflow_provider_fastlabel.emulator.server.server import Emulator

__all__ = ["Emulator"]

"""Apache Airflow provider and Python client for FastLabel, the data-labelling service.

Importing this package is free of side effects and of heavy modules. Its rooms are ``client`` (the HTTP API, no
Airflow), ``formats`` (annotation formats, no Airflow and no HTTP), ``emulator`` (a FastLabel for one machine) and the
Airflow rooms ``hooks``, ``operators``, ``sensors`` and ``triggers``.
"""

from __future__ import annotations

__version__ = "0.1.0"

__all__ = ["__version__"]

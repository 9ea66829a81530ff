"""The work of the pipelines from a terminal: ``python -m airflow_provider_fastlabel`` or ``fastlabel-pipelines``.

Each command is one module with a function ``run`` and a line ``EXAMPLE``; :mod:`.app` puts them together. They call
the same pipelines as the operators, and need no Airflow.

Exit codes: 0 done; 1 failed, or something was lost; 2 wrong usage or input; 3 the wait timed out; 130 interrupted.
"""

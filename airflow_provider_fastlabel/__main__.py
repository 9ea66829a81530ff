"""``python -m airflow_provider_fastlabel``: the command line."""

from __future__ import annotations

from airflow_provider_fastlabel.cli.app import main

if __name__ == "__main__":
    main()

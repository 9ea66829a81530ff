"""``python -m airflow_provider_fastlabel``: the command line."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line of this process."""
    try:
        # Here, so that an interrupt while it is loaded is no traceback either.
        from airflow_provider_fastlabel.cli.app import app

        app(prog_name="fastlabel-pipelines")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

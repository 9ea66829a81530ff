"""``python -m airflow_provider_fastlabel.emulator``: the emulator as a process."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sqlite3
import sys
from collections.abc import Sequence

from airflow_provider_fastlabel.emulator.server.app import build
from airflow_provider_fastlabel.emulator.server.server import DEFAULT_TOKEN, address, listen, make_server
from airflow_provider_fastlabel.emulator.world.settings import Settings


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the command line's options.

    :param argv: words after the program's name; ``None`` for the process's own.
    """
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_fastlabel.emulator",
        description="A FastLabel-compatible server for this machine.\nPrints one JSON line when it is ready.",
        epilog="Example:\n  python -m airflow_provider_fastlabel.emulator --port 8765 --token my-token",
        formatter_class=argparse.RawDescriptionHelpFormatter,  # an example that is broken cannot be pasted
    )
    parser.add_argument("--host", default="127.0.0.1", help="loopback address (default: %(default)s)")
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="another name, or NAME:PORT, that callers may use for it, such as that of a CI service (repeatable)",
    )
    parser.add_argument("--port", type=int, default=0, help="port, 0 for a free one (default: %(default)s)")
    token = os.environ.get("FASTLABEL_EMULATOR_TOKEN") or DEFAULT_TOKEN
    parser.add_argument("--token", default=token, help="accepted access token (default: FASTLABEL_EMULATOR_TOKEN)")
    parser.add_argument("--db", help="SQLite file that outlives the process (default: in memory)")
    parser.add_argument("--files", help="folder of the stored files (default: beside --db, else temporary)")
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or None
    parser.add_argument("--s3-endpoint", default=endpoint, help="S3 server (default: AWS_ENDPOINT_URL_S3, else AWS)")
    parser.add_argument(
        "--ground-truth",
        action="append",
        default=[],
        metavar="FILE",
        help="JSON file, task name to annotations, that PUT /_emulator/annotators may name (repeatable)",
    )
    parser.add_argument("--history-seconds", type=float, default=0.5, help="running time of imports (default: 0.5)")
    parser.add_argument("--job-seconds", type=float, default=0.5, help="running time of model jobs (default: 0.5)")
    parser.add_argument("--quota", type=int, default=10_000, help="calls per 10 minutes, 0 for no limit (10000)")
    parser.add_argument("--lenient", action="store_true", help="take unknown fields, class values, endpoints")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT.

    :param argv: words after the program's name; ``None`` for the process's own.
    :returns: exit code.
    """
    options = arguments(argv)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    settings = Settings(
        strict=not options.lenient,
        quota=options.quota or None,
        history_seconds=options.history_seconds,
        job_seconds=options.job_seconds,
        s3_endpoint=options.s3_endpoint,
    )
    try:
        sock = listen(options.host, options.port)
        app = build(
            options.token,
            db=options.db,
            files=options.files,
            settings=settings,
            allow_hosts=options.allow_host,
            ground_truth=options.ground_truth,
        )
    except (OSError, ValueError, sqlite3.Error) as error:
        sys.stderr.write(f"The emulator did not start: {error}\n")
        return 2
    server = make_server(app)

    def stop(*_: object) -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        # Uvicorn raises the signal again once it has stopped: being asked to stop is not a failure. Before uvicorn has
        # begun, this is what stops it.
        signal.signal(number, stop)
    base = address(sock)
    ready = {"url": f"{base}/v1/", "control": f"{base}/_emulator/", "token": options.token, "pid": os.getpid()}
    # The socket listens already: a call made now waits in its queue until the server takes it.
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    server.run(sockets=[sock])
    return 0


if __name__ == "__main__":
    sys.exit(main())

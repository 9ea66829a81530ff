"""Runs stores and programs in processes of their own, as tests of kills and races need."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import boto3

from tests.operators.s3_files import KEYS
from tests.pipelines.exports.places import store_alone

ROOT = Path(__file__).parents[4]


@contextmanager
def store():
    """An S3-compatible store in a process of its own, with the bucket ``sets``."""
    command = [sys.executable, "-m", store_alone.__name__]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        client = boto3.client("s3", endpoint_url=address, **KEYS)
        client.create_bucket(Bucket="sets")
        client.close()
        yield address
        process.stdin.close()
        process.wait(timeout=30)


def lines_of(module, *arguments):
    """Run a module in a process of its own; return the lines of JSON that it prints."""
    command = [sys.executable, "-m", module.__name__, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]

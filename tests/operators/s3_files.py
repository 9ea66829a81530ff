"""A bucket as Airflow's Amazon provider opens it: by s3fs, which notes what goes over the wire."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import boto3
from fsspec.asyn import sync
from s3fs import S3FileSystem

KEYS = {"aws_access_key_id": "emulator", "aws_secret_access_key": "emulator", "region_name": "us-east-1"}


class S3Files(S3FileSystem):
    """The file system; ``requests`` holds what went over the wire, and a write of what ends on ``fails`` breaks.

    :param address: of the store.

    :ivar boto: a client of the same store, for what others do there; its requests are not noted.
    """

    cachable = False

    def __init__(self, address):
        super().__init__(key="emulator", secret="emulator", endpoint_url=address)
        self.boto = boto3.client("s3", endpoint_url=address, **KEYS)
        self.requests = []
        self.fails = ""
        # s3fs before 2026.9 takes a client that has sent nothing for a closed one, and makes another
        sync(self.loop, self._ls, "")
        self.on_sending(self._note)

    def on_sending(self, listener):
        """Tell somebody of each request before it is sent."""
        self.s3.meta.events.register("before-send.s3", listener)

    def _note(self, request, **_):
        path = unquote(urlsplit(request.url).path)
        if self.fails and request.method == "PUT" and path.endswith(self.fails):
            raise ConnectionError("broken")
        self.requests.append((request.method, path))

    def close(self):
        """Close the client; that of s3fs goes with its loop."""
        self.boto.close()

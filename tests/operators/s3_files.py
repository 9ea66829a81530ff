"""A bucket as an Airflow provider opens it, over boto3 alone: a test needs no Amazon provider for it."""

from __future__ import annotations

import io
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

from botocore.exceptions import ClientError
from fsspec import AbstractFileSystem


class S3Files(AbstractFileSystem):
    """The few methods that an object store is used with; ``requests`` holds what went over the wire.

    As with s3fs, a listing is remembered until something is written through here, whatever others do; a bucket that is
    missing is a file that is not found; and making a folder makes its bucket.
    """

    protocol = "s3"
    cachable = False

    def __init__(self, s3):
        super().__init__()
        self.s3 = s3
        self.requests = []
        self.fails = ""
        self._listings = {}
        s3.meta.events.register("before-send.s3", self._note)

    def _note(self, request, **_):
        path = unquote(urlsplit(request.url).path)
        if self.fails and request.method == "PUT" and path.endswith(self.fails):
            raise ConnectionError("broken")
        self.requests.append((request.method, path))

    def find(self, path, maxdepth=None, withdirs=False, detail=False, **_):
        if path not in self._listings:
            self._listings[path] = self._list(*path.partition("/")[::2])
        found = self._listings[path]
        return found if detail else sorted(found)

    def _list(self, bucket, prefix):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        with _missing_is_not_found(bucket):
            rows = [row for page in pages for row in page.get("Contents", ())]
        return {
            f"{bucket}/{row['Key']}": {"size": row["Size"], "LastModified": row["LastModified"], "type": "file"}
            for row in rows
        }

    def invalidate_cache(self, path=None):
        self._listings.clear()

    def info(self, path, **_):
        found = self.find(path, detail=True).get(path)
        if "/" not in path:
            return {"name": path, "size": 0, "type": "directory"}
        if found is None:
            raise FileNotFoundError(path)
        return found

    def _open(self, path, mode="rb", **_):
        bucket, _, key = path.partition("/")
        if mode == "wb":
            return _Upload(lambda body: self._put(bucket, key, body))
        try:
            return io.BytesIO(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        except ClientError as error:
            raise FileNotFoundError(path) from error

    def _put(self, bucket, key, body):
        with _missing_is_not_found(bucket):
            self.s3.put_object(Bucket=bucket, Key=key, Body=body)
        self.invalidate_cache()

    def rm(self, path, recursive=False, maxdepth=None):
        bucket, _, key = path.partition("/")
        with _missing_is_not_found(bucket):
            self.s3.delete_object(Bucket=bucket, Key=key)
        self.invalidate_cache()

    def mkdir(self, path, create_parents=True, **_):
        bucket = path.partition("/")[0]
        if bucket not in [row["Name"] for row in self.s3.list_buckets()["Buckets"]]:
            self.s3.create_bucket(Bucket=bucket)

    def makedirs(self, path, exist_ok=False):
        self.mkdir(path)


@contextmanager
def _missing_is_not_found(bucket):
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
        raise FileNotFoundError(f"The specified bucket does not exist: {bucket}") from error


class _Upload(io.BytesIO):
    """A body that is sent when it is closed."""

    def __init__(self, send):
        super().__init__()
        self._send = send

    def close(self):
        if not self.closed:
            self._send(self.getvalue())
        super().close()

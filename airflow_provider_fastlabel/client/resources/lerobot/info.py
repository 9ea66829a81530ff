"""What ``meta/info.json`` of a LeRobot dataset says, checked: a stranger wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.foreign_names import UnsafeNameError, checked_name
from airflow_provider_fastlabel.json_text import UnusableJsonError, parse_json
from airflow_provider_fastlabel.regular_files import read_regular
from airflow_provider_fastlabel.words import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MOST_FPS = 65_535
"""Frames a second that an MPEG-4 video can have."""


def read_info(file: Path, dataset: str) -> dict[str, Any]:
    """Read the file and check what of it is used for any dataset.

    :param file: ``meta/info.json``
    :param dataset: name of the dataset, for messages
    :returns: its content; ``fps`` is a usable number, ``features`` an object of objects, and the key of each video does
        as the name of a folder
    :raises FastLabelInvalidException: (422) the file cannot be read, or is not like that
    """
    try:
        info = parse_json(read_regular(file))
    except (OSError, UnusableJsonError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise FastLabelInvalidException(f"{dataset}: meta/info.json cannot be read: {why}", 422) from error
    if why := _fault(info):
        raise FastLabelInvalidException(f"{dataset}: meta/info.json {why}. Nothing was imported.", 422)
    checked: dict[str, Any] = info
    return checked


def _fault(info: Any) -> str | None:
    """Say what is wrong with the content of the file, to be read after its name."""
    if not isinstance(info, dict) or not isinstance(info.get("features"), dict) or info.get("fps") is None:
        return "must name fps and features"
    fps = info["fps"]
    if isinstance(fps, bool) or not isinstance(fps, int | float) or not 0 < fps <= MOST_FPS:
        return f"gives {shortened(fps)} as fps: it is a number above 0, at most {MOST_FPS:,}"
    for key, feature in info["features"].items():
        if not isinstance(feature, dict):
            return f"describes the feature {shortened(key)} by {shortened(feature)}, which is no object"
        if feature.get("dtype") == "video" and (why := unfit_for_folder(key)):
            return f"names a video {shortened(key)}, which {why}: the folder and the clip are named after it"
    return None


def unfit_for_folder(key: str) -> str | None:
    """Say why the key of a feature cannot be the name of a folder; ``None`` if it can.

    :param key: a key of ``features``
    """
    try:
        checked_name(key, folders=False)
    except UnsafeNameError as error:
        return error.why
    return None


def feature_names(meta: Mapping[str, Any], key: str) -> list[str]:
    """Return the names of the values of a feature, in order.

    :param meta: the parsed ``meta/info.json``
    :param key: the feature (``observation.state``)
    :raises FastLabelInvalidException: (422) the feature lists no names
    """
    features = meta.get("features")
    feature = features.get(key) if isinstance(features, dict) else None
    names = feature.get("names") if isinstance(feature, dict) else None
    if isinstance(names, dict):  # grouped, as datasets converted from version 2 have it: {"motors": [...]}
        groups = list(names.values())
        names = [name for group in groups for name in group] if all(isinstance(g, list) for g in groups) else None
    if not isinstance(names, list) or not names or not all(isinstance(name, str | int | float) for name in names):
        raise FastLabelInvalidException(f'meta/info.json must list features["{key}"]["names"].', 422)
    return [str(name) for name in names]

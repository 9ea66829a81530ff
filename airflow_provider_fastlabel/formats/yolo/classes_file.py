"""The classes of a YOLO data set are read from the file that names them, or from the one that is found.

Such files are a YAML file with ``names`` (``data.yaml``, ``dataset.yaml``, ``coco128.yaml`` …), Darknet's ``obj.names``
or whatever ``obj.data`` names, Roboflow's ``_darknet.labels``, and ``classes.txt``. All of
them in the folder must agree, which they do where one only names more classes than another; the one that names the most
is taken, in this order, the highest in the folder first.
What a YAML file says of keypoints counts also where another file names the classes.
"""

from __future__ import annotations

import posixpath
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.foreign_names import UnsafeNameError, place_below
from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.formats.reading.text import decoded
from airflow_provider_fastlabel.number_text import whole_number
from airflow_provider_fastlabel.regular_files import read_regular
from airflow_provider_fastlabel.words import shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from airflow_provider_fastlabel.formats.reading.data_folder import DataFolder

ANNOTATION_ENDINGS = ("txt", "yaml", "yml", "names", "labels", "data")
"""Endings of the files, pictures apart, that :func:`.read_yolo` reads."""

_YAML = (".yaml", ".yml")
_LISTS = (".names", ".labels")
_DATA = ".data"
# Darknet's has five lines.
_MOST_DATA = 1 << 16
_NAMES = re.compile(r"\bnames\b[\"']?\s*:")
_MOST_CLASSES = 1_000_000
_REMEDY = "Name the right one with classes_file=."


@dataclass(frozen=True)
class Classes:
    """The classes of a data set.

    :param file: the file that names them, as messages call it.
    :param names: class values by index; None where an index has no class.
    :param keys: class index -> keypoint keys (``kpt_names``).
    :param keypoints: number of keypoints in each row and of numbers for each (``kpt_shape``); None where none is said.
    :param described: the YAML file that describes the data set, so that rows are no poses unless it says so; empty
        where there is none.
    """

    file: str
    names: list[str | None]
    keys: dict[int, list[str]] = field(default_factory=dict)
    keypoints: tuple[int, int] | None = None
    described: str = ""


def classes_of(folder: DataFolder, others: Iterable[str], class_lists: Sequence[str], given: Path | None) -> Classes:
    """Read the classes of a data set.

    :param folder: the data set.
    :param others: its files that are neither pictures nor text files, relative to it.
    :param class_lists: its files called ``classes.txt``.
    :param given: the file to read; None looks for one.
    :returns: the classes.
    :raises ValueError: no file names classes, several disagree, or one cannot be used.
    :raises OSError: the given file, or one of those that are found, cannot be read or is a link that leaves the folder.
    """
    described = [] if given is not None and _is_yaml(given.name) else _described(folder, others)
    if given is not None:
        found = read_classes(given, within=Path(folder.path))
    else:
        tables = [*described, *_listed(folder, others, class_lists)]
        if not tables:
            raise ValueError(
                f"No file in {folder.path} names the classes: put a data.yaml with 'names', or a classes.txt with one "
                "class per line, there, or name such a file with classes_file=."
            )
        distinct = {tuple(table.names): table for table in reversed(tables)}
        _check_agreement([*distinct.values()][::-1], "classes", _named_apart)
        found = max(tables, key=lambda table: len(table.names))
    if not described:
        return found
    _check_agreement(described, "keypoints", lambda one, other: one.keypoints != other.keypoints)
    _check_agreement(described, "keypoint names", lambda one, other: bool(one.keys and other.keys != one.keys))
    keys = next((table.keys for table in described if table.keys), {})
    return Classes(found.file, found.names, keys, described[0].keypoints, described[0].file)


def list_named_by(folder: DataFolder, others: Iterable[str], listed: Collection[str]) -> set[str]:
    """Find the lists of classes that Darknet's ``.data`` files name.

    :param folder: the data set.
    :param others: its files that are neither pictures nor text files, relative to it.
    :param listed: all its files but pictures.
    :returns: those lists that are there.
    """
    stated = (_stated_in(folder, name) for name in others if name.lower().endswith(_DATA))
    named = {posixpath.basename(path) for path in stated if path}
    return {one for one in listed if posixpath.basename(one) in named} if named else set()


def read_classes(path: Path, name: str | None = None, within: Path | None = None) -> Classes:
    """Read one file that names classes.

    :param path: the file; its ending says how it is read.
    :param name: what messages call it; default: its file name.
    :param within: the data set, where the file may lie. The list that a ``.data`` file names is read only below the
        data set, or for a file that lies elsewhere, below its own folder.
    :returns: the classes.
    :raises ValueError: it holds no classes.
    :raises OSError: it cannot be read.
    """
    name = foreign_text(name or path.name)
    if path.suffix.lower() == _DATA:
        return read_classes(_beside(path, path.parent if within is None else within))
    return _from_text(_text(path, name), name)


def _from_text(text: str, name: str) -> Classes:
    """Read the text of a file that names classes."""
    if _is_yaml(name):
        return _from_yaml(_parsed(text, name), name)
    names: list[str | None] = [line.strip() or None for line in text.rstrip().split("\n")]
    if names == [None]:
        raise ValueError(f"{name} has no classes: give one value per line.")
    return Classes(name, names)


def _text(path: Path, name: str) -> str:
    return _decoded(read_regular(path), name)


def _decoded(data: bytes, name: str) -> str:
    try:
        text = decoded(data)
    except ValueError as error:
        raise ValueError(f"{name} is {str(error).partition(':')[0]}: save it as UTF-8.") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _is_yaml(name: str) -> bool:
    return name.lower().endswith(_YAML)


def _highest_first(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: (name.count("/"), name))


def _described(folder: DataFolder, others: Iterable[str]) -> list[Classes]:
    """Read the YAML files that name classes; a YAML file without ``names`` is about something else."""
    found = []
    for name in _highest_first(filter(_is_yaml, others)):
        shown = foreign_text(name)
        text = _decoded(folder.read(name), shown)
        if _NAMES.search(text):
            data = _parsed(text, shown)
            if isinstance(data, dict) and "names" in data:
                found.append(_from_yaml(data, shown))
    return found


def _listed(folder: DataFolder, others: Iterable[str], class_lists: Sequence[str]) -> list[Classes]:
    """Read the files that list classes line by line."""
    lists = _highest_first(name for name in others if name.lower().endswith(_LISTS))
    names = dict.fromkeys([*lists, *_highest_first(class_lists)])
    return [_from_text(_decoded(folder.read(name), foreign_text(name)), foreign_text(name)) for name in names]


def _named_apart(one: Classes, other: Classes) -> bool:
    """Tell whether two files give different names to a class."""
    return any(a and b and a != b for a, b in zip(one.names, other.names, strict=False))


def _check_agreement(tables: list[Classes], about: str, apart: Callable[[Classes, Classes], bool]) -> None:
    """Refuse files that say different things."""
    for one in tables:
        other = next((table for table in tables if apart(one, table)), None)
        if other is not None:
            rest = [table.file for table in tables if table not in (one, other)]
            listed = " and ".join(f"{table.file} ({len(table.names)} classes)" for table in (one, other))
            more = f" ({len(rest)} more: {', '.join(rest[:3])})" if rest else ""
            raise ValueError(f"{listed} disagree about the {about}{more}. {_REMEDY}")


def _stated_in(folder: DataFolder, name: str) -> str:
    """Return what a ``.data`` file states under ``names``; empty where it is another program's."""
    try:
        with folder.open(name) as file:
            data = file.read(_MOST_DATA + 1)
        return _stated_list(_decoded(data, name)) if len(data) <= _MOST_DATA else ""
    except (OSError, ValueError):
        return ""


def _stated_list(text: str) -> str:
    """Return what Darknet's ``.data`` file states under ``names``; empty where it states nothing."""
    for line in text.split("\n"):
        key, _, value = line.partition("=")
        if key.strip() == "names":
            return value.strip().replace("\\", "/")
    return ""


def _beside(path: Path, within: Path) -> Path:
    """Find the list that a ``.data`` file names: where it says, or beside it, but nowhere outside of the data set."""
    stated = _stated_list(_text(path, path.name))
    root = within if path.is_relative_to(within) else path.parent
    own = path.parent.relative_to(root).as_posix()
    for name in (stated, posixpath.basename(stated)) if stated else ():
        with suppress(UnsafeNameError):
            place = place_below(root, posixpath.normpath(posixpath.join(own, name)))
            if place.is_file():
                return place
    raise ValueError(
        f"{foreign_text(path.name)} names no list of classes that is there "
        f"(names = {foreign_text(stated or 'nothing')}). {_REMEDY}"
    )


def _parsed(text: str, name: str) -> Any:
    """Parse YAML with every word left as it is written: a class may be called ``no`` or ``1.0``."""
    from airflow_provider_fastlabel.yaml_text import read_yaml

    return read_yaml(text, name, as_written=True)


def _from_yaml(data: Any, name: str) -> Classes:
    found = data.get("names") if isinstance(data, dict) else None
    if not isinstance(found, list | dict):
        raise ValueError(f"{name} has no names: give the classes as a list or by number under 'names'.")
    by_index = _numbered(found, name)
    names = [by_index.get(index) or None for index in range(max(by_index, default=-1) + 1)]
    keys = data.get("kpt_names") or {}
    by_class = dict.fromkeys(by_index, keys) if isinstance(keys, list) else keys
    if not isinstance(by_class, dict) or not all(map(_is_key_list, by_class.keys(), by_class.values())):
        raise ValueError(f"{name}: kpt_names is a list of names, or one by class number, not {shortened(keys)}.")
    key_lists = {whole_number(str(index)) or 0: list(listed) for index, listed in by_class.items()}
    return Classes(name, names, key_lists, _shape(data.get("kpt_shape"), name), name)


def _shape(stated: Any, name: str) -> tuple[int, int] | None:
    """Return ``kpt_shape``: how many keypoints a row has, and how many numbers each."""
    if stated in (None, "", "null", "~"):
        return None
    try:
        count, size = map(int, stated)
        if count > 0 and size in (2, 3):
            return count, size
    except (TypeError, ValueError):
        pass
    raise ValueError(
        f"{name}: kpt_shape is the number of keypoints and 2 or 3 numbers for each, not {shortened(stated)}."
    )


def _is_key_list(index: Any, listed: Any) -> bool:
    """Tell whether these are a class's number and its keypoints' names."""
    return (
        whole_number(str(index)) is not None
        and isinstance(listed, list)
        and all(isinstance(key, str) for key in listed)
    )


def _numbered(found: list[Any] | dict[Any, Any], name: str) -> dict[int, str]:
    """Return the names by class index."""
    numbered: dict[int, str] = {}
    for stated, value in enumerate(found) if isinstance(found, list) else found.items():
        index = whole_number(str(stated))
        if index is None:
            raise ValueError(f"{name}: the classes under 'names' are not numbered with whole numbers from 0.")
        if not isinstance(value, str):
            raise ValueError(f"{name}: a class under 'names' is no name.")
        if index < _MOST_CLASSES:
            numbered[index] = value
    return numbered

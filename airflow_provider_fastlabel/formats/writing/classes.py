"""Classes and their ids, which never move.

A class's id is its position in the map: 0, 1, 2 ... (YOLO uses it as it is, COCO adds one, masks add their first
index). The order is the one given: the project's class list, or a list of values; without either the values found in
the tasks, sorted. A lock file beside the data set makes ids last: classes that are new are appended, classes that are
gone keep their id, and an order that would move an id is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple, TypeGuard

from airflow_provider_fastlabel.formats.writing.tasks import annotations_of
from airflow_provider_fastlabel.json_text import UnusableJsonError, is_text, parse_json

LOCK_FILE = "classes.lock.json"
_LOCK_VERSION = 1


class ClassOrderError(ValueError):
    """An export would give a class another id than the lock file says."""


class Keypoint(NamedTuple):
    """One keypoint of a pose class.

    :param key: key by which annotations name it.
    :param name: display name.
    :param color: ``#rrggbb`` or an empty string.
    :param edges: keys of the keypoints it is joined with, as declared (one side or both).
    """

    key: str
    name: str = ""
    color: str = ""
    edges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelClass:
    """One class of a project.

    :param value: the key annotations carry in ``value``.
    :param type: annotation type (``bbox``, ``polygon``, ...), empty if not known.
    :param title: display name, empty if not known.
    :param color: ``#rrggbb``, empty if not known.
    :param keypoints: keypoints of a pose class, in their order.
    :param fastlabel_id: FastLabel's id of the class, empty if not known: it stays when the value is changed.
    :param gone: whether the project had the class once and has it not any more.
    """

    value: str
    type: str = ""
    title: str = ""
    color: str = ""
    keypoints: tuple[Keypoint, ...] = ()
    fastlabel_id: str = field(default="", compare=False)
    gone: bool = field(default=False, compare=False)

    def skeleton(self) -> list[list[int]]:
        """Return the edges as COCO wants them.

        :returns: pairs of 1-based keypoint positions, the lower first, each undirected edge once. Edges to keypoints
            that do not exist are left out.
        """
        position = {keypoint.key: number for number, keypoint in enumerate(self.keypoints, 1)}
        pairs: dict[tuple[int, int], None] = {}
        for keypoint in self.keypoints:
            own = position[keypoint.key]
            for key in keypoint.edges:
                other = position.get(key, own)
                if other != own:
                    pairs[min(own, other), max(own, other)] = None
        return [list(pair) for pair in pairs]


class ClassMap:
    """Classes in the order of their ids.

    :param classes: the classes, id 0 first. A value that comes again (one value may be a bbox class and a polygon
        class) is the same class: it keeps its first id and gains what the first lacked.
    :param open: whether :meth:`id_of` gives a value it does not know the next id.
    """

    __slots__ = ("_classes", "_ids", "open")

    def __init__(self, classes: Iterable[LabelClass] = (), *, open: bool = False) -> None:
        self._classes: list[LabelClass] = []
        self._ids: dict[str, int] = {}
        self.open: bool = open
        for one in classes:
            self.add(one)

    @classmethod
    def of(cls, classes: ClassMap | Iterable[str | Mapping[str, Any]] | None) -> ClassMap:
        """Make a map of whatever a caller has.

        :param classes: a map (returned as it is), annotation classes as the API lists them, class values, or None for
            an open map that takes the classes as they come.
        :returns: the map.
        :raises ValueError: a class has no value, or this is one class and no list: its letters, or keys, would be taken
            for classes.
        """
        if isinstance(classes, ClassMap):
            return classes
        if isinstance(classes, (str, Mapping)):
            raise ValueError(f"classes are a list, not one: {classes!r}")
        if classes is None:
            return cls(open=True)
        return cls(LabelClass(one) if isinstance(one, str) else _from_api(one) for one in classes)

    @classmethod
    def discover(cls, tasks: Iterable[Mapping[str, Any]], types: Sequence[str] | None = None) -> ClassMap:
        """Collect the classes of some tasks.

        :param tasks: task objects; read once.
        :param types: annotation types that count; all without it.
        :returns: a closed map of the values found, sorted.
        """
        found = cls(open=True)
        settled: set[str] = set()
        for task in tasks:
            for annotation in annotations_of(task):
                try:
                    if annotation["value"] in settled and not annotation["keypoints"]:
                        continue
                except (KeyError, TypeError):
                    pass
                if not isinstance(annotation, dict) or (types is not None and annotation.get("type") not in types):
                    continue
                value = annotation.get("value")
                if not isinstance(value, str) or not value or not is_text(value):
                    continue
                if found[found.observe(annotation)].color:
                    settled.add(value)
        return found.sorted()

    def add(self, one: LabelClass) -> int:
        """Append a class, or complete the one that already has its value.

        :param one: the class.
        :returns: its id.
        :raises ValueError: its value is empty, or no text that a file can hold.
        """
        if not one.value:
            raise ValueError("a class without a value cannot be exported: give every class a value")
        if not is_text(one.value):
            raise ValueError(
                f"the class value {one.value!a} holds half of a surrogate pair, which no file can: give it another"
            )
        known = self._ids.get(one.value)
        if known is None:
            self._ids[one.value] = len(self._classes)
            self._classes.append(one)
            return len(self._classes) - 1
        old = self._classes[known]
        self._classes[known] = replace(
            old,
            type=old.type or one.type,
            title=old.title or one.title,
            color=old.color or one.color,
            keypoints=old.keypoints or one.keypoints,
            fastlabel_id=old.fastlabel_id or one.fastlabel_id,
        )
        return known

    def observe(self, annotation: Mapping[str, Any]) -> int:
        """Learn a class from an annotation: its colour, title and, for a pose, the keypoints in their order.

        :param annotation: annotation with a value.
        :returns: the class's id.
        """
        known = self._ids.get(annotation["value"])
        rows = annotation.get("keypoints")
        if known is not None and self._classes[known].color and (not rows or self._has_keypoints(known, rows)):
            return known
        keypoints = _keypoints(rows)
        number = self.add(
            LabelClass(
                annotation["value"],
                str(annotation.get("type") or ""),
                str(annotation.get("title") or ""),
                str(annotation.get("color") or ""),
                keypoints,
            )
        )
        old = self._classes[number]
        if keypoints and old.keypoints is not keypoints:
            keys = {keypoint.key for keypoint in old.keypoints}
            more = tuple(keypoint for keypoint in keypoints if keypoint.key not in keys)
            if more:
                self._classes[number] = replace(old, keypoints=old.keypoints + more)
        return number

    def _has_keypoints(self, number: int, rows: Any) -> bool:
        """Whether a class has every keypoint that an annotation's rows name."""
        try:
            return {row["key"] for row in rows} <= {keypoint.key for keypoint in self._classes[number].keypoints}
        except (TypeError, KeyError):
            return False

    def id_of(self, value: str) -> int | None:
        """Return a class's id.

        :param value: class value.
        :returns: the id, or None if the map is closed and does not know the value.
        """
        known = self._ids.get(value)
        return self.add(LabelClass(value)) if known is None and self.open else known

    def sorted(self) -> ClassMap:
        """Return a closed map of the same classes, ids in the order of their values."""
        return ClassMap(sorted(self._classes, key=lambda one: one.value))

    @property
    def values(self) -> list[str]:
        """Class values in id order."""
        return [one.value for one in self._classes]

    def __len__(self) -> int:
        return len(self._classes)

    def __iter__(self) -> Iterator[LabelClass]:
        return iter(self._classes)

    def __getitem__(self, number: int) -> LabelClass:
        return self._classes[number]

    def __contains__(self, value: object) -> bool:
        return value in self._ids

    def __eq__(self, other: object) -> bool:
        return self._classes == other._classes if isinstance(other, ClassMap) else NotImplemented

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"ClassMap({self.values!r})"

    # The lock file.

    def to_lock(self, changes: Mapping[str, Any] | None = None) -> bytes:
        """Return the text of the lock file (JSON, UTF-8, same map, same bytes).

        :param changes: how the classes changed the last time they did, see :func:`changes_of_lock`.
        """
        rows = [
            {"id": n, "value": one.value, "type": one.type, "title": one.title, "color": one.color}
            | ({"fastlabel_id": one.fastlabel_id} if one.fastlabel_id else {})
            | ({"gone": True} if one.gone else {})
            | ({"keypoints": [keypoint._asdict() for keypoint in one.keypoints]} if one.keypoints else {})
            for n, one in enumerate(self._classes)
        ]
        lock = {"version": _LOCK_VERSION, "classes": rows, **({"changes": changes} if changes else {})}
        try:
            return (json.dumps(lock, indent=1, ensure_ascii=False) + "\n").encode()
        except UnicodeEncodeError:  # half of a surrogate pair in a title: escaped, it is read again as it was
            return (json.dumps(lock, indent=1) + "\n").encode()

    @classmethod
    def from_lock(cls, text: bytes | str) -> ClassMap:
        """Read a lock file.

        :param text: what :meth:`to_lock` wrote.
        :returns: the map.
        :raises ValueError: not a lock file of this version, or its ids are not 0, 1, 2 ... in order, or a class has no
            value of its own.
        """
        try:
            data = parse_json(text)
        except UnusableJsonError as error:
            raise ValueError(f"not a {LOCK_FILE}: {error}; remove it to start new class ids") from None
        rows = data.get("classes") if isinstance(data, dict) and data.get("version") == _LOCK_VERSION else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ValueError(f"not a {LOCK_FILE} of version {_LOCK_VERSION}: remove it to start new class ids")
        if [row.get("id") for row in rows] != list(range(len(rows))):
            raise ValueError(f"the ids in {LOCK_FILE} are not 0 to {len(rows) - 1} in order: it was edited by hand")
        values = [row.get("value") for row in rows]
        # Of a class that comes twice the second would be the first, and all ids behind it would move.
        if not all(value and isinstance(value, str) for value in values) or len(set(values)) < len(values):
            raise ValueError(f"the classes in {LOCK_FILE} do not each have a value of their own: it was edited by hand")
        return cls(
            replace(_from_api(row), fastlabel_id=_text(row.get("fastlabel_id")), gone=row.get("gone") is True)
            for row in rows
        )

    def check(self, wanted: ClassMap) -> None:
        """Refuse an order that moves an id.

        This is for a list of classes the caller wrote down, which must be obeyed or refused.

        :param wanted: the classes in the order of the new export.
        :raises ClassOrderError: a class of this map has another id there, or none.
        """
        for number, one in enumerate(self._classes):
            now = wanted._ids.get(one.value)
            if now != number:
                there = "is missing" if now is None else f"would become {now}"
                raise ClassOrderError(
                    f"class {one.value!r} has id {number} in {LOCK_FILE} and {there} in the classes given. "
                    f"Keep the locked order {self.values!r} and append new classes, "
                    f"or export to another folder to start new ids."
                )


def changes_of_lock(text: bytes) -> dict[str, Any]:
    """Return how the classes changed the last time they did.

    :param text: a lock file that :meth:`ClassMap.from_lock` has read.
    :returns: what :meth:`ClassMap.to_lock` was given; empty if nothing.
    """
    found = parse_json(text).get("changes")
    kinds = found.items() if isinstance(found, dict) else ()
    return {kind: one for kind, one in kinds if isinstance(one, dict | list) and all(map(is_text, map(str, one)))}


def _from_api(row: Mapping[str, Any]) -> LabelClass:
    """Read an annotation class of the API, or a row of the lock file."""
    return LabelClass(
        str(row.get("value") or ""),
        str(row.get("type") or ""),
        str(row.get("title") or ""),
        str(row.get("color") or ""),
        _keypoints(row.get("keypoints")),
        _text(row.get("id")),
    )


def _text(value: Any) -> str:
    """Return a text, and nothing of anything else."""
    return value if isinstance(value, str) else ""


def _is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, list | tuple)


def _keypoints(rows: Any) -> tuple[Keypoint, ...]:
    """Read keypoints: classes join them by id, annotations and the lock file by key."""
    if not _is_list(rows):
        return ()
    good = [row for row in rows if isinstance(row, Mapping) and row.get("key")]
    key_of = {row["id"]: str(row["key"]) for row in good if isinstance(row.get("id"), str)}
    seen: dict[str, Keypoint] = {}
    for row in good:
        listed = row.get("edges")
        edges = tuple(key_of.get(edge, edge) for edge in listed if isinstance(edge, str)) if _is_list(listed) else ()
        key = str(row["key"])
        seen.setdefault(key, Keypoint(key, str(row.get("name") or ""), str(row.get("color") or ""), edges))
    return tuple(seen.values())

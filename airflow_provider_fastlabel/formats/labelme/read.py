"""labelme files are read as FastLabel annotations.

=====================  ==============================================================================
labelme shape          FastLabel annotation
=====================  ==============================================================================
rectangle              bbox, whatever corners were clicked first
oriented_rectangle     bbox with rotation
polygon                polygon; those of one label and one group id together: one segmentation
mask                   segmentation, holes included
circle                 circle
line, linestrip        line
point                  keypoint; those of one label and group id with a description: one pose, see below
points                 one keypoint per point
=====================  ==============================================================================

``group_id`` ties shapes into one object; a part of it that covers nothing or is no outline is noted and left out, as
long as another part is left. Points of a group whose ``description`` names a keypoint are a pose, its flag ``visible``
tells seen from hidden; that is how our export writes one. Flags that are on become attributes with the value true; the
``attributes`` our export adds to a shape are read as they are. Flags of the whole image and other descriptions are
notes.

An image is where labelme looks for it, beside or relative to the JSON file, or in the folder for pictures beside the
JSON file's, as ``images`` lies beside ``labels``; files of the official SDK, which write the path from the data set's
root instead, are recognised. Where ``imagePath`` is stale, or no image at all, the one picture of the JSON file's stem
is taken. Where there is none, ``imagePath`` is the image's key.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any, get_args

from airflow_provider_fastlabel.foreign_names import is_safe
from airflow_provider_fastlabel.formats.files import is_image, suffix_of
from airflow_provider_fastlabel.formats.labelme.shapes import LabelmeType, converters, names_keypoint, points_of
from airflow_provider_fastlabel.formats.reading.data_folder import DataFolder, why
from airflow_provider_fastlabel.formats.reading.imported import (
    Annotation,
    ImportedAnnotations,
    UnusableError,
    check_repeated,
    collector_paused,
    read_json,
)
from airflow_provider_fastlabel.formats.reading.paired import Described, paired
from airflow_provider_fastlabel.formats.reading.points import box_around, region
from airflow_provider_fastlabel.words import shortened

if TYPE_CHECKING:
    import os

    from airflow_provider_fastlabel.formats.labelme.shapes import Convert
    from airflow_provider_fastlabel.formats.reading.spool import Spool

    GroupKey = tuple[str, str, Any]

_FAMILIES = {"polygon": "area", "mask": "area", "point": "pose"}
"""Shape types of which an object may have several."""


def read_labelme(
    folder: str | os.PathLike[str],
    annotation_type: LabelmeType | None = None,
    *,
    follow_links: bool = False,
    spool: Spool | None = None,
) -> ImportedAnnotations:
    """Read every labelme file below a folder.

    :param folder: the folder.
    :param annotation_type: what every shape becomes. ``"bbox"``: the box around it (one that is drawn turned stays
        turned); ``"polygon"``: its outline, one for each part; ``"segmentation"``: its outline, with all parts of its
        group and their holes. Points and lines, which have no area, are lost then. Default: what the table above says.
    :param follow_links: whether links that leave the folder are followed; otherwise what they lead to is lost, and said
        to be.
    :param spool: keeps the annotations on disk until they are looked at; default: in memory.
    :returns: annotations by image path relative to the folder; problems name the shape by its position from 0. A JSON
        file that is no labelme file is a note, unless a picture of its name has no other file.
    :raises ValueError: unknown ``annotation_type``.
    :raises OSError: the folder cannot be read.
    """
    if annotation_type is not None and annotation_type not in get_args(LabelmeType):
        raise ValueError(f"annotation_type must be one of {', '.join(get_args(LabelmeType))}, not {annotation_type!r}.")
    root = DataFolder.of(folder, follow_links=follow_links)
    convert = converters(annotation_type)
    unread = ImportedAnnotations()
    with collector_paused():
        described = [
            _read_file(root, name, convert, unread, joins=annotation_type != "polygon").put_into(spool)
            for name in root.names
            if name.lower().endswith(".json")
        ]
        return root.tell_closed(paired(described, root.names, spool))


def _read_file(
    root: DataFolder, name: str, convert: dict[str, Convert], unread: ImportedAnnotations, *, joins: bool
) -> Described:
    """Read one JSON file."""
    try:
        document = read_json(root.read(name), name, unread)
    except OSError as error:
        return Described.failed(name, "unreadable", f"cannot be read: {why(error)}")
    if unread.problems:
        problem = unread.problems.pop()
        return Described.failed(name, "unreadable", problem.message, problem.line)
    if not isinstance(document, dict) or not isinstance(document.get("shapes"), list):
        return Described.failed(name, "foreign", "not a labelme file: it has no list of shapes")
    described = Described(name, *_stated(name, document.get("imagePath")))
    flags = document.get("flags")
    on = [key for key, value in flags.items() if value] if isinstance(flags, dict) else []
    if on:
        described.note(f"flags of the whole image have no place in an annotation: {', '.join(map(str, on))}")
    _Shapes(described, convert, joins=joins).read(document["shapes"])
    return described


def _stated(name: str, image_path: Any) -> tuple[list[str], str | None]:
    """Return where the image of a file may lie, and its key if it lies nowhere; see the module's text."""
    stated = image_path.replace("\\", "/").strip() if isinstance(image_path, str) else ""
    if not stated:
        return [], None
    if stated.startswith("/") or ":" in stated.partition("/")[0]:
        stated = posixpath.basename(stated)
    folder = posixpath.dirname(name)
    relative = posixpath.normpath(posixpath.join(folder, stated))
    places = [relative]
    if "/" in stated:
        places += [posixpath.normpath(stated), posixpath.join(folder, posixpath.basename(stated))]
    ending = suffix_of(stated)
    beside = posixpath.splitext(name)[0] + ending
    sdk = places[-1] != relative and places[1] == beside
    otherwise = relative if is_safe(relative) and not sdk else beside
    if not is_image(stated):
        # With a dot at its end a name has no ending that it could lose.
        return [f"{place}." for place in places], otherwise if ending.lower() not in ("", ".json") else None
    return places, otherwise


class _Shapes:
    """Takes the shapes of one file.

    :param described: where their annotations go.
    :param convert: shape type -> what converts it.
    :param joins: whether the parts of a group become one annotation.
    """

    def __init__(self, described: Described, convert: dict[str, Convert], *, joins: bool) -> None:
        self._described = described
        self._convert = convert
        self._joins = joins
        self._groups: dict[GroupKey, list[tuple[int, Annotation]]] = {}
        self._dropped: dict[GroupKey, list[tuple[int, UnusableError]]] = {}
        self._descriptions: list[int] = []

    def read(self, shapes: list[Any]) -> None:
        """Take all of them."""
        described = self._described
        for number, shape in enumerate(shapes):
            try:
                self._read_shape(number, shape)
            except UnusableError as error:
                key = _group_of(shape)
                if key is None:
                    described.lose(f"shapes[{number}]: {error}")
                else:
                    self._dropped.setdefault(key, []).append((number, error))
            else:
                described.objects += 1
        for key, parts in list(self._groups.items()) if self._joins else ():
            if len(parts) > 1:
                self._join(key, parts)
        for key, dropped in self._dropped.items():
            self._drop(key, dropped)
        if self._descriptions:
            first = self._descriptions[0]
            text = shortened(shapes[first]["description"])
            described.note(
                f"descriptions of {len(self._descriptions)} shapes have no place in an annotation; "
                f"that of shapes[{first}] is {text}"
            )

    def _read_shape(self, number: int, shape: Any) -> None:
        """Convert one shape and add it to the image, and to the parts of its group."""
        if not isinstance(shape, dict):
            raise UnusableError("not an object")
        value = shape.get("label")
        if not isinstance(value, str) or not value.strip():
            raise UnusableError("it has no label")
        kind = shape.get("shape_type") or "polygon"
        convert = self._convert.get(kind) if isinstance(kind, str) else None
        if convert is None:
            raise UnusableError(f"shape_type {kind!r} has no FastLabel type")
        found = convert(points_of(shape), shape)
        attributes = _attributes(shape, found)
        key = None if shape.get("group_id") is None else _group_of(shape)
        if key is not None and key[0] == "pose" and found[0]["type"] != "pose_estimation":
            key = None  # several points in one shape
        check_repeated(attributes, len(found))
        for annotation in found:
            annotation["value"] = value
            if attributes:
                annotation["attributes"] = [dict(item) for item in attributes]
            if key is not None:
                parts = self._groups.setdefault(key, [])
                parts.append((number, annotation))
                if self._joins and len(parts) > 1:
                    continue
            self._described.annotations.append(annotation)
        if shape.get("description") and found[0]["type"] != "pose_estimation":
            self._descriptions.append(number)

    def _join(self, key: GroupKey, parts: list[tuple[int, Annotation]]) -> None:
        """Make one object of the parts of a group, in the place of the first."""
        first = parts[0][1]
        _add_attributes(first, [part for _, part in parts[1:]])
        if key[0] == "pose":
            first["keypoints"] = [keypoint for _, part in parts for keypoint in part["keypoints"]]
            return
        if first["type"] == "bbox":
            first["points"] = box_around([value for _, part in parts for value in part["points"]])
            return
        usable: list[Annotation] = []
        regions: list[Any] = []
        for number, part in parts:
            try:
                regions += part["points"] if part["type"] == "segmentation" else [region(part["points"])]
                usable.append(part)
            except UnusableError as error:
                self._dropped.setdefault(key, []).append((number, error))
        self._described.objects -= len(parts) - len(usable)
        if not usable:
            del self._groups[key]
            annotations = self._described.annotations
            annotations[:] = [annotation for annotation in annotations if annotation is not first]
        elif len(usable) == 1:
            first["type"], first["points"] = usable[0]["type"], usable[0]["points"]
        else:
            first["type"], first["points"] = "segmentation", regions

    def _drop(self, key: GroupKey, dropped: list[tuple[int, UnusableError]]) -> None:
        """Leave parts out of their object, or lose them where there is none."""
        if key not in self._groups:
            for number, error in dropped:
                self._described.lose(f"shapes[{number}]: {error}")
            return
        number, error = dropped[0]
        self._described.objects += len(dropped)
        self._described.note(
            f"{len(dropped)} parts of the object of group {key[2]!r} were left out, first shapes[{number}]: {error}"
        )


def _group_of(shape: Any) -> GroupKey | None:
    """Return what the parts of an object have in common; None for a shape that is an object of its own."""
    group = shape.get("group_id") if isinstance(shape, dict) else None
    if not isinstance(group, int | str):
        return None
    value, kind = shape.get("label"), shape.get("shape_type") or "polygon"
    family = _FAMILIES.get(kind) if isinstance(kind, str) else None
    if family is None or not isinstance(value, str) or (family == "pose" and not names_keypoint(shape)):
        return None
    return family, value, group


def _add_attributes(first: Annotation, parts: list[Annotation]) -> None:
    """Add the attributes of parts that the object has not."""
    known = {item["key"] for item in first.get("attributes", ())}
    for item in (item for part in parts for item in part.get("attributes", ())):
        if item["key"] not in known:
            known.add(item["key"])
            first.setdefault("attributes", []).append(item)


def _attributes(shape: dict[str, Any], found: list[Annotation]) -> list[dict[str, Any]]:
    """Return the attributes of a shape: those our export wrote, and the flags that are on."""
    listed = shape.get("attributes")
    flags = shape.get("flags")
    if not listed and not flags:
        return []
    known = listed if isinstance(listed, dict) else {}
    attributes = [{"key": key, "value": value} for key, value in known.items()]
    pose = any(annotation["type"] == "pose_estimation" for annotation in found)
    for key, value in flags.items() if isinstance(flags, dict) else ():
        if value and key not in known and not (pose and key == "visible"):
            attributes.append({"key": key, "value": value})
    return attributes

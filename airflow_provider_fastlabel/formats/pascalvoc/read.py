"""Pascal VOC annotation files are read as FastLabel annotations.

Corners are taken by their names, whatever their order in the document, and may have decimals. ``difficult``,
``truncated`` and ``occluded`` become attributes of the annotation, value true, where they are set; a 0 says nothing and
adds nothing. The ``attributes`` that CVAT writes to an object become attributes with their text; its ``rotation`` turns
the box.

=======================  =============================================================================
an object's              FastLabel annotation
=======================  =============================================================================
``bndbox``               bbox; a ``polygon`` beside it is noted and left out
``robndbox``             bbox with rotation; roLabelImg's box about a centre, its angle in radians
``polygon`` alone        polygon; points as ``x1``, ``y1``, ``x2`` ... or as ``pt``
``part``                 nothing: parts are noted and left out
=======================  =============================================================================

The image an annotation file speaks of is, by order of trust: the file ``<filename>`` beside the XML file or in the
folder for pictures beside the XML file's, as ``JPEGImages`` or ``images`` lies beside ``Annotations``; ``<filename>``
as path in the folder that is read; the same with another ending or case; the one picture of the XML file's stem. Where
no such picture exists the image's key is ``<filename>`` itself if it repeats the XML file's path below ``annotations``,
as exports write it, else the XML file's own path with the ending of ``<filename>``.
"""

from __future__ import annotations

import math
import posixpath
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.formats.files import is_image, suffix_of
from airflow_provider_fastlabel.formats.pascalvoc.document import Document, XmlError
from airflow_provider_fastlabel.formats.reading.data_folder import DataFolder, why
from airflow_provider_fastlabel.formats.reading.imported import (
    Annotation,
    ImportedAnnotations,
    UnusableError,
    collector_paused,
    tidy,
)
from airflow_provider_fastlabel.formats.reading.paired import Described, paired
from airflow_provider_fastlabel.formats.reading.points import box, outline
from airflow_provider_fastlabel.number_text import whole_number
from airflow_provider_fastlabel.words import shortened

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element

    from airflow_provider_fastlabel.formats.reading.spool import Spool

Corners = Literal["one_based", "zero_based"]

_FLAGS = ("difficult", "truncated", "occluded")
_OFF = (None, "0")
_MASKS = {
    "segmentationclass": 'masks lie here beside the boxes; import them with annotations_format="masks" (read_masks)',
    "segmentationobject": "masks of single objects lie here, which name no classes and are not read; those of "
    'SegmentationClass are, with annotations_format="masks" (read_masks)',
}
_NUMBERED = re.compile(r"([xy])([0-9]+)")


def read_pascalvoc(
    folder: str | os.PathLike[str],
    corners: Corners = "one_based",
    *,
    follow_links: bool = False,
    spool: Spool | None = None,
) -> ImportedAnnotations:
    """Read every Pascal VOC file below a folder.

    :param folder: the folder.
    :param corners: what the numbers of ``bndbox`` are: ``"one_based"``, as the VOC devkit says: the first and last
        pixel inside, counted from 1, so that the box runs from ``xmin - 1`` to ``xmax``; ``"zero_based"``, as labelImg
        writes: the borders themselves.
    :param follow_links: whether links that leave the folder are followed; otherwise what they lead to is lost, and said
        to be.
    :param spool: keeps the annotations on disk until they are looked at; default: in memory.
    :returns: annotations by image path relative to the folder; problems carry the line of the object. An XML file that
        is no Pascal VOC file is a note, unless a picture of its name has no other file.
    :raises ValueError: unknown ``corners``; or a corner at 0 although corners count from 1, so that all boxes of the
        data set would be one pixel off.
    :raises OSError: the folder cannot be read.
    """
    if corners not in get_args(Corners):
        raise ValueError(f"corners must be one of {', '.join(get_args(Corners))}, not {corners!r}.")
    root = DataFolder.of(folder, follow_links=follow_links)
    reader = _Reader(1 if corners == "one_based" else 0)
    with collector_paused():
        described = [reader.read(root, name).put_into(spool) for name in root.names if name.lower().endswith(".xml")]
        reader.refuse_zeros()
        result = root.tell_closed(paired(described, root.names, spool))
    _note_masks(result, root.names)
    return result


def is_mask(name: str) -> bool:
    """Tell whether a picture lies in one of the VOC devkit's folders of masks.

    :param name: path with forward slashes.
    """
    return _mask_folder(name) is not None


def _mask_folder(name: str) -> str | None:
    folder = posixpath.dirname(name)
    return folder if is_image(name) and posixpath.basename(folder).lower() in _MASKS else None


def _note_masks(result: ImportedAnnotations, names: Sequence[str]) -> None:
    """Say that masks lie beside the boxes."""
    for folder in sorted({folder for name in names if (folder := _mask_folder(name))}):
        result.add_note(folder, _MASKS[posixpath.basename(folder).lower()])


class _AtZeroError(UnusableError):
    """A corner at 0, where corners count from 1."""


class _Reader:
    """Reads files, and watches from where their corners count.

    :param origin: number of the first pixel.
    """

    def __init__(self, origin: int) -> None:
        self._origin = origin
        self._zeros: list[str] = []

    def read(self, root: DataFolder, name: str) -> Described:
        """Read one XML file."""
        try:
            document = Document(root.read(name))
        except OSError as error:
            return Described.failed(name, "unreadable", f"cannot be read: {why(error)}")
        except XmlError as error:
            return Described.failed(name, "unreadable", str(error), error.line)
        root_element = document.root
        if root_element.tag != "annotation":
            message = f"not a Pascal VOC file: its root is <{root_element.tag[:80]}>, not <annotation>"
            return Described.failed(name, "foreign", message)
        stated, otherwise = _stated(name, (root_element.findtext("filename") or "").strip())
        described = Described(name, stated, otherwise)
        annotations = described.annotations
        for number, entry in enumerate(root_element.findall("object")):
            try:
                annotations.append(_annotation(entry, self._origin))
            except _AtZeroError as error:
                self._zeros.append(f"{foreign_text(name)}:{document.line_of(number)}: object {number + 1}: {error}")
            except UnusableError as error:
                described.lose(f"object {number + 1}: {error}", document.line_of(number))
        described.objects = len(annotations)
        if document.may_have(b"<part") or document.may_have(b"<polygon"):
            _note_extras(described, root_element)
        return described

    def refuse_zeros(self) -> None:
        """Refuse a data set whose corners count from 0.

        :raises ValueError: there are such corners.
        """
        if self._zeros:
            raise ValueError(
                f"{self._zeros[0]}; so it is with {len(self._zeros)} of the objects. Corners that count from 1, as the "
                'VOC devkit says, begin at 1: all boxes would be one pixel off. Give corners="zero_based" if the files '
                "count from 0, as labelImg writes them; else correct these objects."
            )


def _stated(name: str, filename: str) -> tuple[list[str], str | None]:
    """Return where the image of a file may lie, and its key if it lies nowhere; see the module's text."""
    if not filename:
        return [], None
    stated = filename.replace("\\", "/")
    if "/" in stated:
        stated = str(PurePosixPath(stated))
    folder, _, image = stated.rpartition("/")
    known = is_image(image)
    here = posixpath.dirname(name)
    # With a dot at its end a name has no ending that it could lose.
    places = [f"{here}/{image}" if here else image, *([stated] if folder else [])]
    if not known:
        return [f"{place}." for place in places], None
    stem = posixpath.splitext(name)[0]
    top, _, below = stem.partition("/")
    if top.lower() == "annotations" and below in (stated, posixpath.splitext(stated)[0]):
        return places, stated
    return places, stem if posixpath.basename(stem) == image else stem + suffix_of(image)


def _annotation(entry: Element, origin: int) -> Annotation:
    """Convert one <object>."""
    value = (entry.findtext("name") or "").strip()
    if not value:
        raise UnusableError("it has no <name>")
    bounds = entry.find("bndbox")
    annotation: Annotation
    if bounds is None:
        annotation = {"value": value, **_other_shape(entry)}
    else:
        left, top, right, bottom = (_number(bounds, tag) for tag in ("xmin", "ymin", "xmax", "ymax"))
        if left > right:
            left, right = right, left
        if top > bottom:
            top, bottom = bottom, top
        if origin and (0 <= left < 1 or 0 <= top < 1):
            raise _AtZeroError(f"its first corner is ({left}, {top})")
        annotation = {"value": value, "points": box(left - origin, top - origin, right, bottom), "type": "bbox"}
    flags = [flag for flag in _FLAGS if (text := entry.findtext(flag)) not in _OFF and _is_set(text)]
    attributes: list[dict[str, Any]] = [{"key": flag, "value": True} for flag in flags]
    if entry.find("attributes") is not None:
        attributes += _written_by_cvat(entry, annotation, set(flags))
    if attributes:
        annotation["attributes"] = attributes
    return annotation


def _written_by_cvat(entry: Element, annotation: Annotation, told: set[str]) -> list[dict[str, Any]]:
    """Return the attributes that CVAT writes as elements; its rotation turns the box and is none of them.

    :param told: the flags that are known already; more of them come in.
    """
    found: list[dict[str, Any]] = []
    for element in entry.findall("attributes/attribute"):
        key, text = (element.findtext("name") or "").strip(), (element.findtext("value") or "").strip()
        if key == "rotation" and annotation["type"] == "bbox":
            rotation = _degrees(text)
            if rotation:
                annotation["rotation"] = rotation
        elif key in _FLAGS or key == "keyframe":
            if _is_set(text) and key not in told:
                told.add(key)
                found.append({"key": key, "value": True})
        elif key:
            found.append({"key": key, "value": text})
    return found


def _degrees(text: str) -> float:
    """Return a turn in degrees, from -180 to 180."""
    try:
        value = float(text or 0)
    except ValueError:
        raise UnusableError(f"its rotation is {shortened(text)}, not a number") from None
    if not math.isfinite(value):
        raise UnusableError(f"its rotation is {shortened(text)}, not an ordinary number")
    return tidy((value + 180) % 360 - 180)


def _number(bounds: Element, tag: str) -> float:
    """Return one corner, whole if it is."""
    return _read_number(bounds.findtext(tag), tag)


def _read_number(text: str | None, tag: str) -> float:
    if text is not None and len(text) < 16 and text.isdecimal():
        return int(text)
    try:
        value = float(text or "")
    except ValueError:
        raise UnusableError(f"<{tag}> is {shortened(text)}, not a number") from None
    if not math.isfinite(value):
        raise UnusableError(f"<{tag}> is {shortened(text)}, not an ordinary number")
    return int(value) if value.is_integer() else value


def _is_set(text: str | None) -> bool:
    """Tell whether a flag of an object is on."""
    return text is not None and text.strip().lower() in ("1", "true", "yes")


def _other_shape(entry: Element) -> Annotation:
    """Return type and points of an object without <bndbox>."""
    turned = entry.find("robndbox")
    if turned is not None:
        return _turned(turned)
    polygon = entry.find("polygon")
    if polygon is None:
        raise UnusableError("it has no <bndbox>")
    points = polygon.findall("pt")
    flat = [_number(point, axis) for point in points for axis in "xy"] if points else _numbered(polygon)
    return {"points": outline(flat), "type": "polygon"}


def _numbered(polygon: Element) -> list[float]:
    """Return the corners that are numbered by their tags, in the order of the numbers."""
    texts: dict[tuple[int, str], str] = {}
    for child in polygon:
        found = _NUMBERED.fullmatch(child.tag)
        if found is None:
            continue
        number = whole_number(found[2])
        if number is None:
            raise UnusableError(f"<{child.tag[:20]}...> is no corner's number")
        if (number, found[1]) in texts:
            raise UnusableError(f"<{child.tag}> is there twice")
        texts[number, found[1]] = child.text or ""
    corners = sorted({number for number, _ in texts})
    return [_read_number(texts.get((corner, axis)), f"{axis}{corner}") for corner in corners for axis in "xy"]


def _turned(turned: Element) -> Annotation:
    """Convert a box of roLabelImg: centre, size, and radians clockwise on screen."""
    x, y, width, height, angle = (_number(turned, tag) for tag in ("cx", "cy", "w", "h", "angle"))
    points = [tidy(value) for value in box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)]
    rotation = tidy(180 - (180 - math.degrees(angle)) % 360)
    return {"points": points, "type": "bbox"} | ({"rotation": rotation} if rotation else {})


def _note_extras(described: Described, root: Element) -> None:
    """Note what objects have that a bounding box has not."""
    objects = root.findall("object")
    outlines = sum(entry.find("bndbox") is not None and entry.find("polygon") is not None for entry in objects)
    if outlines:
        described.note(f"{outlines} of its objects have a <polygon> beside their box; the boxes are read")
    parts = sum(entry.find("part") is not None for entry in objects)
    if parts:
        described.note(f"{parts} of its objects have parts (<part>), which have no place in an annotation")

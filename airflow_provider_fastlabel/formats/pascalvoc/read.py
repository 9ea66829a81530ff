"""Pascal VOC annotation files are read as FastLabel annotations.

Corners are taken by their names, whatever their order in the document, and may have decimals. ``difficult``,
``truncated`` and ``occluded`` become attributes of the annotation, value true, where they are set; a 0 says nothing and
adds nothing.

The image an annotation file speaks of, as path relative to the folder that is read, is by order of trust: the file
``<filename>`` beside the XML file or in the devkit's ``JPEGImages``, if it exists; ``<filename>`` itself if it repeats
the XML file's path below ``annotations``, as exports write it; the XML file's own path with the ending of
``<filename>``.
"""

from __future__ import annotations

import math
import posixpath
from os.path import isfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal, get_args
from xml.etree import ElementTree
from xml.parsers import expat

from airflow_provider_fastlabel.formats.files import files_below, image_beside, is_image, suffix_of
from airflow_provider_fastlabel.formats.reading.imported import (
    Annotation,
    ImportedAnnotations,
    UnusableError,
    collector_paused,
)
from airflow_provider_fastlabel.formats.reading.points import box

if TYPE_CHECKING:
    import os

Corners = Literal["one_based", "zero_based"]

_FLAGS = ("difficult", "truncated", "occluded")


def read_pascalvoc(folder: str | os.PathLike[str], corners: Corners = "one_based") -> ImportedAnnotations:
    """Read every Pascal VOC file below a folder.

    :param folder: the folder.
    :param corners: what the numbers of ``bndbox`` are: ``"one_based"``, as the VOC devkit says: the first and last
        pixel inside, counted from 1, so that the box runs from ``xmin - 1`` to ``xmax``; ``"zero_based"``, as labelImg
        writes: the borders themselves.
    :returns: bbox annotations by image path relative to the folder; problems carry the line of the object.
    :raises ValueError: unknown ``corners``.
    :raises OSError: the folder cannot be read.
    """
    if corners not in get_args(Corners):
        raise ValueError(f"corners must be one of {', '.join(get_args(Corners))}, not {corners!r}.")
    result = ImportedAnnotations()
    root = Path(folder)
    with collector_paused():
        for name in files_below(root):
            if name.lower().endswith(".xml"):
                _read_file(result, root, name, 1 if corners == "one_based" else 0)
    return result


def _read_file(result: ImportedAnnotations, root: Path, name: str, origin: int) -> None:
    """Read one XML file."""
    with open(f"{root}/{name}", "rb") as file:
        data = file.read()
    try:
        document = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        result.add_problem(name, f"not well-formed XML: {error}", error.position[0])
        return
    except (ValueError, LookupError) as error:
        result.add_problem(name, f"not readable as XML: {error}")
        return
    if document.tag != "annotation":
        result.add_problem(name, f"not a Pascal VOC file: its root is <{document.tag}>, not <annotation>")
        return
    image = _image_of(root, name, (document.findtext("filename") or "").strip())
    if image is None:
        result.add_problem(name, "its <filename> names no image and no single image lies beside it")
        return
    annotations = result.open_image(image, name)
    for number, entry in enumerate(document.findall("object")):
        try:
            annotations.append(_annotation(entry, origin))
        except UnusableError as error:
            result.add_problem(name, f"object {number + 1}: {error}", _line_of(data, number))


def _image_of(root: Path, name: str, filename: str) -> str | None:
    """Return the path of the image a file speaks of; see the module's text."""
    stem = posixpath.splitext(name)[0]
    stated = str(PurePosixPath(filename.replace("\\", "/")))
    image = posixpath.basename(stated)
    if not is_image(image):
        ending = image_beside(root / stem)
        return stem + ending if ending else None
    *folders, _ = name.split("/")
    places = [[*folders, image]]
    for at, folder in enumerate(folders):
        if folder.lower() == "annotations":
            places.append([*folders[:at], "JPEGImages", *folders[at + 1 :], image])
    for place in places:
        candidate = "/".join(place)
        if isfile(f"{root}/{candidate}"):  # noqa: PTH113
            return candidate
    top, _, below = stem.partition("/")
    if top.lower() == "annotations" and below in (stated, posixpath.splitext(stated)[0]):
        return stated
    return stem if posixpath.basename(stem) == image else stem + suffix_of(image)


def _annotation(entry: ElementTree.Element, origin: int) -> Annotation:
    """Convert one <object>."""
    value = (entry.findtext("name") or "").strip()
    if not value:
        raise UnusableError("it has no <name>")
    bounds = entry.find("bndbox")
    if bounds is None:
        raise UnusableError("it has no <bndbox>")
    left, top, right, bottom = (_number(bounds, tag) for tag in ("xmin", "ymin", "xmax", "ymax"))
    if left > right:
        left, right = right, left
    if top > bottom:
        top, bottom = bottom, top
    annotation: Annotation = {"value": value, "points": box(left - origin, top - origin, right, bottom), "type": "bbox"}
    attributes = [{"key": flag, "value": True} for flag in _FLAGS if _is_set(entry.findtext(flag))]
    if attributes:
        annotation["attributes"] = attributes
    return annotation


def _number(bounds: ElementTree.Element, tag: str) -> float:
    """Return one corner, whole if it is."""
    text = bounds.findtext(tag)
    try:
        value = float(text or "")
    except ValueError:
        raise UnusableError(f"<{tag}> is {text!r}, not a number") from None
    if not math.isfinite(value):
        raise UnusableError(f"<{tag}> is {text!r}, not an ordinary number")
    return int(value) if value.is_integer() else value


def _is_set(text: str | None) -> bool:
    """Tell whether a flag of an object is on."""
    return text is not None and text.strip().lower() in ("1", "true", "yes")


def _line_of(data: bytes, wanted: int) -> int:
    """Return the line of the n-th object of a document that is known to be well-formed."""
    parser = expat.ParserCreate()
    lines: list[int] = []
    depth = 0

    def start(tag: str, _: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth == 2 and tag == "object":
            lines.append(parser.CurrentLineNumber)

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(data, True)
    return lines[wanted]

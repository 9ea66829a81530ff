"""The tables that give indexes and colours of masks a meaning: an argument, or a file beside the masks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.formats.masks.write import CLASSES_FILE, INSTANCES_FILE
from airflow_provider_fastlabel.formats.reading.text import decoded
from airflow_provider_fastlabel.json_text import UnusableJsonError, parse_json
from airflow_provider_fastlabel.number_text import whole_number
from airflow_provider_fastlabel.words import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_fastlabel.formats.reading.data_folder import DataFolder

LABELMAP = "labelmap.txt"
"""CVAT's table: ``name:red,green,blue:parts:actions``, one class a line."""

_BORDER = 0xE0E0C0
"""Colour of index 255, borders, in the colour map of the VOC devkit."""
_COLOUR_NUMBERS = re.compile(r"\s*([0-9]{1,3})\s*,\s*([0-9]{1,3})\s*,\s*([0-9]{1,3})\s*")
_COLOUR = re.compile(r"#([0-9a-fA-F]{6})")


@dataclass
class Table:
    """What masks mean.

    :param by_index: index -> class value.
    :param by_colour: colour as a number, red first -> class value, or None for background; empty if indexes count.
    :param instances: mask -> its own indexes, for masks of objects.
    :param images: mask -> its image.
    """

    by_index: dict[int, str] = field(default_factory=dict)
    by_colour: dict[int, str | None] = field(default_factory=dict)
    instances: dict[str, dict[int, str]] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)

    def values_of(self, mask: str) -> dict[int, str]:
        """Return the classes of a mask by index.

        :param mask: path of the mask.
        :returns: index -> class value.
        """
        return self.instances.get(mask, self.by_index)

    def is_border(self, colour: int) -> bool:
        """Tell whether a colour is the devkit's for borders, and no class's.

        :param colour: the colour as a number.
        :returns: true if it is.
        """
        return colour == _BORDER and colour not in self.by_colour


def table_of(folder: DataFolder, classes: Mapping[Any, str] | None) -> Table:
    """Find out what the masks of a folder mean.

    :param folder: the folder; its tables are taken where no classes are given.
    :param classes: index, or ``#rrggbb``, -> class value.
    :returns: the table.
    :raises ValueError: there is none, or it holds something else.
    :raises OSError: it cannot be read, or is a link that leaves the folder.
    """
    table = _given(classes) if classes is not None else Table()
    if INSTANCES_FILE in folder.names:
        _read_instances(folder, table)
    if classes is None and CLASSES_FILE in folder.names:
        table.by_index = _read_classes(folder)
    elif classes is None and LABELMAP in folder.names:
        _read_labelmap(folder, table)
    if not (table.by_index or table.by_colour or table.instances):
        raise ValueError(
            f"The masks have no table: there is no {CLASSES_FILE}, {INSTANCES_FILE} or {LABELMAP} at the top of their "
            'folder. Give the classes of the indexes, such as classes={1: "dog", 2: "cat"}.'
        )
    return table


def _given(classes: Mapping[Any, str]) -> Table:
    """Read the argument; whole numbers may be texts, as they are where it comes from JSON."""
    table = Table()
    for key, value in classes.items():
        colour = _COLOUR.fullmatch(key) if isinstance(key, str) else None
        index = _index(key)
        if not isinstance(value, str) or not value or (colour is None and index is None):
            raise ValueError(
                f"classes is {{index or '#rrggbb': class value}}; {shortened(key)}: {shortened(value)} is not."
            )
        if colour:
            table.by_colour[int(colour[1], 16)] = value
        elif index is not None:
            table.by_index[index] = value
    if table.by_colour and table.by_index:
        raise ValueError("classes names indexes or colours, not both.")
    return table


def _read_classes(folder: DataFolder) -> dict[int, str]:
    """Read the table of our semantic masks."""
    try:
        return _values(parse_json(folder.read(CLASSES_FILE)))
    except UnusableJsonError as error:
        raise ValueError(f"{CLASSES_FILE} is no list of classes with id and value: {error}.") from None
    except (KeyError, TypeError) as error:
        raise ValueError(f"{CLASSES_FILE} is no list of classes with id and value: {shortened(error, 200)}.") from None


def _read_instances(folder: DataFolder, table: Table) -> None:
    """Read the table of our instance masks."""
    with folder.open(INSTANCES_FILE) as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip(b"\xef\xbb\xbf \t\r\n"):
                continue
            try:
                row = parse_json(line)
                mask, image = _name(row, "mask"), _name(row, "image")
                table.instances[mask] = _values(row["instances"])
                table.images[mask] = image
            except (UnusableJsonError, KeyError, TypeError) as error:
                why = error.problem if isinstance(error, UnusableJsonError) else shortened(error, 200)
                raise ValueError(f"{INSTANCES_FILE}:{number} is no row with mask, image, instances: {why}.") from None


def _values(rows: Any) -> dict[int, str]:
    """Return index -> class value of rows with id and value.

    :raises KeyError: a row lacks one of them.
    :raises TypeError: there is no list of rows, an id is no whole number, or a value no text.
    """
    if not isinstance(rows, list):
        raise TypeError("there is no list")
    found = {}
    for row in rows:
        index, value = _index(row["id"]), _name(row, "value")
        if index is None:
            raise TypeError(f"the id {shortened(row['id'])} is no whole number")
        found[index] = value
    return found


def _index(stated: Any) -> int | None:
    """Return an index, which may be written as text; None where it is none."""
    return stated if type(stated) is int else whole_number(stated)


def _name(row: Any, key: str) -> str:
    """Return a text that a row must have."""
    value = row[key]
    if not isinstance(value, str) or not value:
        raise TypeError(f"the {key} {shortened(value)} is no text")
    return value


def _read_labelmap(folder: DataFolder, table: Table) -> None:
    """Read CVAT's table; grey masks have the number of the line as index."""
    try:
        text = decoded(folder.read(LABELMAP))
    except ValueError as error:
        raise ValueError(f"{LABELMAP} is {error}: save it as UTF-8.") from None
    rows = [line.strip() for line in text.splitlines()]
    for index, row in enumerate(row for row in rows if row and not row.startswith("#")):
        name, _, rest = row.partition(":")
        colour = _COLOUR_NUMBERS.fullmatch(rest.partition(":")[0])
        if not name or colour is None or max(map(int, colour.groups())) > 255:
            raise ValueError(f"{LABELMAP}: {shortened(row, 200)} is not name:red,green,blue:parts:actions.")
        red, green, blue = map(int, colour.groups())
        background = name == "background"
        table.by_colour[red << 16 | green << 8 | blue] = None if background else name
        if not background:
            table.by_index[index] = name

"""Measures our Pascal VOC reader beside one on xmltodict, for the figures in CONTRIBUTING.

python -m benchmarks.xml_parsers [files]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import xmltodict

from airflow_provider_fastlabel.formats.pascalvoc import export_pascalvoc
from airflow_provider_fastlabel.formats.pascalvoc.read import read_pascalvoc
from airflow_provider_fastlabel.formats.reading.imported import collector_paused
from benchmarks import generate

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 7


def plain_reader(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Read a folder with xmltodict and without any of our checks, so that the parser has every advantage.

    :param folder: folder of well-formed Pascal VOC files.
    :returns: annotations by image.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(folder.rglob("*.xml")):
        document = xmltodict.parse(path.read_bytes(), force_list=("object",))["annotation"]
        annotations = found[document["filename"]] = []
        for entry in document.get("object", []):
            bounds = entry["bndbox"]
            left, top = float(bounds["xmin"]) - 1, float(bounds["ymin"]) - 1
            points = [left, top, float(bounds["xmax"]), float(bounds["ymax"])]
            annotations.append({"value": entry["name"], "points": points, "type": "bbox"})
    return found


def parse_all(parse: Callable[[bytes], object], texts: list[bytes]) -> None:
    """Parse every document and keep none.

    :param parse: the parser.
    :param texts: the documents.
    """
    for text in texts:
        parse(text)


def cpu_seconds(sides: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Run the sides in turn and return the least CPU time each has taken.

    :param sides: what to measure, by name.
    :returns: seconds by name.
    """
    least = dict.fromkeys(sides, float("inf"))
    for _ in range(ROUNDS):
        for name, run in sides.items():
            began = time.process_time()
            with collector_paused():  # ours pauses it anyway
                run()
            least[name] = min(least[name], time.process_time() - began)
    return least


def main(size: int) -> None:
    """Write a set of files, measure and print.

    :param size: number of files.
    """
    with tempfile.TemporaryDirectory(prefix="fastlabel-benchmarks-") as made:
        folder = Path(made)
        export_pascalvoc(generate.tasks(size, "bbox"), folder)
        texts = [path.read_bytes() for path in folder.rglob("*.xml")]
        seconds = cpu_seconds(
            {
                "ElementTree, parsing only": lambda: parse_all(ElementTree.fromstring, texts),
                "xmltodict, parsing only": lambda: parse_all(xmltodict.parse, texts),
                "ours, the whole reader": lambda: read_pascalvoc(folder),
                "xmltodict, the whole reader": lambda: plain_reader(folder),
            }
        )
    print(f"{len(texts)} files, {sum(map(len, texts)) / len(texts):,.0f} bytes each")
    for name, least in seconds.items():
        print(f"{name:<30}{least:7.2f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000)

"""The pages of the documentation and what stands in their code blocks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])

_FENCE = re.compile(r"^```(?P<info>\S.*)?$")
_TITLE = re.compile(r'title="([^"]+)"')


@dataclass(frozen=True)
class Block:
    """One fenced code block.

    :param page: its page.
    :param line: line number of its first line.
    :param language: what the fence says, empty if nothing.
    :param title: name of the file that it shows, empty if none.
    :param text: its content.
    """

    page: Path
    line: int
    language: str
    title: str
    text: str

    def compiled(self):
        """Compile it such that a traceback points into the page."""
        return compile("\n" * (self.line - 1) + self.text, str(self.page), "exec")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks_of(page: Path) -> list[Block]:
    blocks: list[Block] = []
    info, start = None, 0
    lines = page.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        if (fence := _FENCE.match(line)) is None:
            continue
        if info is None:
            info, start = fence["info"] or "", number
            continue
        title = _TITLE.search(info)
        language = info.partition(" ")[0]
        text = "\n".join(lines[start : number - 1]) + "\n"
        blocks.append(Block(page, start + 1, language, title[1] if title else "", text))
        info = None
    assert info is None, f"{name_of(page)}:{start}: the block has no end"
    return blocks

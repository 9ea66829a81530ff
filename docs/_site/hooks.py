"""Changes what MkDocs makes of the pages: links to files of the repository."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+[^)\s#]+)\)")


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: Any) -> str:
    """Turn links that lead out of ``docs/`` into links to the repository, or into plain text while it has no address.

    In the sources they are relative, so that they work where the repository is browsed.

    :param markdown: text of the page.
    :param page: the page.
    :param config: MkDocs' configuration; ``extra.repository`` is the address under which the repository's files are.
    """
    docs = Path(config.docs_dir)
    folder = (docs / page.file.src_uri).parent

    def replace(link: re.Match[str]) -> str:
        text, target = link.groups()
        path = (folder / target).resolve()
        if path.is_relative_to(docs):
            return link[0]
        repository = config.extra.get("repository")
        return f"[{text}]({repository}/{path.relative_to(ROOT).as_posix()})" if repository else text

    return LINK.sub(replace, markdown)

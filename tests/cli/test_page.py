"""What the page about the command line shows can be typed."""

from __future__ import annotations

import shlex

import fsspec

from tests.cli.terminal import BOX, ROOT, png
from tests.docs.pages import blocks_of

PAGE = ROOT / "docs/how-to/command-line.md"


def test_the_commands_of_the_page_work_one_after_the_other(run, client, photos, fastlabel_emulator, tmp_path):
    for slug in ("anna", "ben"):
        fastlabel_emulator.add_user(slug, slug.title())
    labelled = tmp_path / "labelled"
    labelled.mkdir()
    (labelled / "l.png").write_bytes(png())
    (labelled / "l.txt").write_text("0 0.5 0.5 0.25 0.5\n")
    (labelled / "classes.txt").write_text("cat\n")
    fsspec.filesystem("memory").pipe_file("/raw/day-1/s.png", png())
    names = ["a.png", "b.png", "day1/c.png", "l.png", "s.png"]
    lines = [line for block in blocks_of(PAGE) if block.language == "shell" for line in block.text.splitlines()]
    commands = [shlex.split(line.replace("s3://", "memory://")) for line in lines if line.startswith("fastlabel-")]
    assert {words[1] for words in commands} == {"import", "wait", "export", "verify", "report", "convert"}
    for words in commands:
        ended = run(*words[1:])
        assert ended.code == 0, (words, ended.stderr)
        if words[1] == "import":
            fastlabel_emulator.annotators("photos", {name: [BOX] for name in names})
            fastlabel_emulator.run_annotators("photos")
    fsspec.filesystem("memory").rm("/raw", recursive=True)

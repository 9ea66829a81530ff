"""Writes the parameters that the calls on tasks share into the docstring of each call, in the source.

About a hundred calls have the same parameters. What these mean stands here once; the source repeats it, because that is
where editors and readers look. After a change here or of a signature:

    .venv/bin/python -m tools.task_docstrings
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_fastlabel.client.statuses import TASK_STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[1] / "airflow_provider_fastlabel" / "client" / "resources" / "tasks"
WIDTH = 120


def _values(words: tuple[str, ...]) -> str:
    return ", ".join(f"``{word}``" for word in words)


ALL = {
    "project": "slug of the project.",
    "task_id": "id of the task.",
}
CREATES = ALL | {
    "name": "name of the task, unique in the project; may contain ``/``.",
    "status": f"{_values(TASK_STATUSES)}.",
    "external_status": "as ``status``, or ``customer_declined``.",
    "custom_task_status": "``registered``, ``pending``, or ``workflow_N_completed`` and ``workflow_N_declined``, "
    "N from 1 to 6.",
    "priority": "0 none, 10 low, 20 medium, 30 high.",
    "annotations": "dictionaries with ``type``, ``value`` (a class of the project), geometry and ``attributes``. "
    "They are copied, never changed; those read from a task may be sent back.",
    "attributes": '``{"key": ..., "value": ...}`` dictionaries, as the project\'s class defines them.',
    "metadatas": '``{"key": ..., "value": ...}`` dictionaries of the task itself.',
    "tags": "names of tags; unknown ones come into being.",
    "is_delete_exif": "whether FastLabel removes EXIF data from the image.",
    "users": "slugs of people, or ``None`` to take the task from them; the keywords are those of :class:`Users`.",
}
UPDATES = CREATES | {
    "annotations": "replace those of the task.",
    "attributes": "replace those of the task.",
}
READS = ALL | {
    "task_name": "exact name of the task.",
    "status": f"keep tasks of this status: {_values(TASK_STATUSES)}.",
    "external_status": "keep tasks of this external status: as ``status``, or ``customer_declined``.",
    "tags": "keep tasks with these tags, at most 10.",
    "offset": "position of the first task, from 0.",
    "limit": "tasks per page; ``None`` leaves it to FastLabel.",
}

BY_HAND = {
    ("create_audio_task", "annotations"),
    ("create_sequential_image_task", "annotations"),
    ("create_sequential_pcd_task", "annotations"),
    ("create_task", "name"),
    ("create_text_task", "annotations"),
    ("create_video_task", "annotations"),
    ("find_sequential_pcd_task", "project"),
    ("find_sequential_pcd_task", "task_id"),
    ("find_sequential_pcd_task", "task_name"),
    ("get_task_id_name_map", "limit"),
    ("update_robotics_task", "annotations"),
    ("update_sequential_image_task", "annotations"),
}
"""Calls and their parameters of a shared name that mean something else there; described in the source by hand."""


def renewed(source: str) -> str:
    """Return the source of a module with the docstrings of its calls on tasks renewed.

    :param source: the source as it is.
    """
    lines = source.splitlines(keepends=True)
    for call in sorted(_calls(ast.parse(source)), key=lambda call: -call.lineno):
        text = ast.get_docstring(call)
        if text is not None:
            old = call.body[0]
            lines[old.lineno - 1 : old.end_lineno] = [_quoted(_described(call, text))]
    return "".join(lines)


def _calls(module: ast.Module) -> Iterator[ast.FunctionDef]:
    """Yield the public methods of the module's classes."""
    for each in module.body:
        if isinstance(each, ast.ClassDef):
            yield from (f for f in each.body if isinstance(f, ast.FunctionDef) and not f.name.startswith("_"))


def _described(call: ast.FunctionDef, text: str) -> str:
    """Return a docstring with all parameters in the order of the signature, then what it returns and raises."""
    head, *fields = re.split(r"\n(?=:)", text)
    told = {match[1]: field for field in fields if (match := re.match(r":param (\w+):", field))}
    rest = [field for field in fields if not field.startswith(":param ")]
    shared = _shared(call.name)
    for name in _parameters(call):
        if name in shared and (call.name, name) not in BY_HAND:
            told[name] = f":param {name}: {shared[name]}"
    described = [_wrapped(told[name]) for name in _parameters(call) if name in told]
    return "\n".join([head.rstrip(), *([""] if described or rest else []), *described, *rest])


def _shared(call: str) -> dict[str, str]:
    """Return what the shared parameters of a call mean."""
    if call.startswith("create_"):
        return CREATES
    return UPDATES if call.startswith("update_") else READS


def _parameters(call: ast.FunctionDef) -> list[str]:
    given = call.args
    rest = [given.kwarg] if given.kwarg else []
    return [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs, *rest) if each.arg != "self"]


def _wrapped(field: str) -> str:
    """Return a field in lines that fit once they are indented; a literal is never broken."""
    whole = re.sub(r"``.*?``", lambda literal: literal[0].replace(" ", "\0"), " ".join(field.split()))
    lines = textwrap.wrap(whole, WIDTH - 8, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace("\0", " ")


def _quoted(text: str) -> str:
    """Return the source of a method's docstring."""
    if "\n" not in text:
        return f'        """{text}"""\n'
    return textwrap.indent(f'"""{text}\n"""\n', " " * 8)


def main(arguments: list[str]) -> int:
    """Renew the modules; with ``--check`` only say which are not current.

    :param arguments: of the command line.
    :returns: 1 if the check found a module that is not current, else 0.
    """
    check = "--check" in arguments
    stale = 0
    for path in sorted(FOLDER.glob("*.py")):
        source = path.read_text(encoding="utf-8")
        new = renewed(source)
        if new != source:
            stale += 1
            sys.stdout.write(f"{path.name} {'is not current' if check else 'renewed'}\n")
            if not check:
                path.write_text(new, encoding="utf-8")
    return int(check and stale > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What a writer reads of a task object, whose fields may be of another type than the API says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def annotations_of(task: Mapping[str, Any]) -> Sequence[Any]:
    """Return a task's annotations.

    :param task: task object.
    :returns: the list, which may hold anything; empty where the task has none.
    :raises GeometryError: they are no list, so that nobody can say how many are lost.
    """
    found: Any = task.get("annotations")
    if found is None:
        return ()
    if not isinstance(found, list | tuple):
        # Reading a lock file, which needs classes alone, loads no geometry.
        from airflow_provider_fastlabel.formats.geometry.shape import GeometryError

        raise GeometryError(f"task {task.get('name')!r}: its annotations are no list but {type(found).__name__}")
    return found

"""The seed's export and conversion methods: thin calls into :mod:`airflow_provider_fastlabel.formats`.

Names, parameters, defaults, folders and file names are the seed's. What is written is right by each format's own
specification, so it differs from the official SDK's output where that is wrong. What could not be written or read is
told in the log, by reason: what was lost as warnings, notes as information.

The formats need numpy, OpenCV and Pillow; nothing of them is imported before a method here is called.
"""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from airflow_provider_fastlabel.client.const import COLOR_PALETTE
from airflow_provider_fastlabel.client.exceptions import FastLabelException, FastLabelInvalidException
from airflow_provider_fastlabel.client.resources.projects import Projects
from airflow_provider_fastlabel.scratch import scratch_folder

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Literal

    from numpy.typing import NDArray

    from airflow_provider_fastlabel.formats.coco.read import CocoType
    from airflow_provider_fastlabel.formats.reading.imported import EntryProblem, ImportedAnnotations
    from airflow_provider_fastlabel.formats.writing.report import ExportReport
    from airflow_provider_fastlabel.formats.yolo.kinds import YoloTask

    Tasks = Iterable[Mapping[str, Any]]
    AnnotationsByImage = dict[str, list[dict[str, Any]]]

log: logging.Logger = logging.getLogger(__name__)

_PROBLEMS_TOLD = 10
_ADVICE = ('on_error="skip"', 'corners="zero_based"')
_BY_WHOM = " (an argument of the functions in airflow_provider_fastlabel.formats and of the operators)"
_ROWS: dict[str, YoloTask] = {"image_segmentation": "segment", "image_pose_estimation": "pose"}
_YOLO_ROWS: dict[str, YoloTask] = {"pose_estimation": "pose", "obb": "obb"}


class Converters(Projects):
    """Exports of tasks to other formats, and conversions of other formats to annotations."""

    def export_coco(
        self,
        project: str,
        tasks: Tasks,
        annotations: Iterable[Mapping[str, Any]] | None = None,
        output_dir: str | os.PathLike[str] = "output/coco",
        output_file_name: str = "annotations.json",
    ) -> None:
        """Write tasks as one COCO file.

        :param project: slug of the tasks' project. Of video projects every frame becomes an image, written to
            ``images`` below the folder.
        :param tasks: task objects, for example of :meth:`get_image_tasks`.
        :param annotations: annotation classes, of :meth:`get_annotations`; they become the categories, in this order,
            with the keypoints and skeletons of pose classes. Default: the classes the tasks use, sorted.
        :param output_dir: folder; made if missing.
        :param output_file_name: name of the file, ending in ``.json``.
        :raises FastLabelInvalidException: (422) unknown project, another file name, or malformed points.
        """
        from airflow_provider_fastlabel.formats.coco import export_coco

        kind = self._type_of(project)
        with self._export(output_dir, tasks, kind) as (folder, known, before):
            report = export_coco(known, folder, classes=annotations or None, file_name=output_file_name)
            _tell("export_coco", report, before)

    def export_yolo(
        self,
        project: str,
        tasks: Tasks,
        classes: Iterable[str] | None = None,
        output_dir: str | os.PathLike[str] = "output/yolo",
    ) -> None:
        """Write tasks as YOLO label files, ``annotations/<name>.txt``, and ``classes.txt``.

        Rows are boxes; in a project of type ``image_segmentation`` they are outlines, in ``image_pose_estimation``
        poses.

        :param project: slug of the tasks' project; video projects as in :meth:`export_coco`.
        :param tasks: task objects.
        :param classes: class values in the order of their indexes. Default: those the tasks use, sorted.
        :param output_dir: folder; made if missing.
        :raises FastLabelInvalidException: (422) unknown project, or malformed points.
        """
        from airflow_provider_fastlabel.formats.yolo import export_yolo

        kind = self._type_of(project)
        with self._export(output_dir, tasks, kind) as (folder, known, before):
            given = classes or None
            report = export_yolo(known, folder, classes=given, task=_ROWS.get(kind, "detect"))
            _tell("export_yolo", report, before)

    def export_pascalvoc(
        self,
        project: str,
        tasks: Tasks,
        output_dir: str | os.PathLike[str] = "output/pascalvoc",
    ) -> None:
        """Write tasks as Pascal VOC files, ``annotations/<name>.xml``.

        :param project: slug of the tasks' project; video projects as in :meth:`export_coco`.
        :param tasks: task objects.
        :param output_dir: folder; made if missing.
        :raises FastLabelInvalidException: (422) unknown project, or malformed points.
        """
        from airflow_provider_fastlabel.formats.pascalvoc import export_pascalvoc

        kind = self._type_of(project)
        with self._export(output_dir, tasks, kind) as (folder, known, before):
            _tell("export_pascalvoc", export_pascalvoc(known, folder), before)

    def export_labelme(
        self,
        tasks: Tasks,
        output_dir: str | os.PathLike[str] = "output/labelme",
    ) -> None:
        """Write tasks as labelme files, ``<name>.json``.

        :param tasks: task objects.
        :param output_dir: folder; made if missing.
        :raises FastLabelInvalidException: (422) malformed points.
        """
        from airflow_provider_fastlabel.formats.labelme import export_labelme

        with self._export(output_dir, tasks) as (folder, known, before):
            _tell("export_labelme", export_labelme(known, folder), before)

    def export_instance_segmentation(
        self,
        tasks: Tasks,
        output_dir: str | os.PathLike[str] = "output/instance_segmentation",
        pallete: Sequence[int] = COLOR_PALETTE,
        start_index: int = 1,
    ) -> None:
        """Write tasks as masks, ``<name>.png``, whose indexes count the annotations; ``instances.jsonl`` names them.

        :param tasks: task objects.
        :param output_dir: folder; made if missing.
        :param pallete: R, G, B, R, G, B, … from index 0; completed to 256 colours.
        :param start_index: index of the first annotation, 1 or 0.
        :raises FastLabelInvalidException: (422) malformed points, or a palette of no whole colours.
        """
        self._export_masks("instance", tasks, output_dir, pallete, None, start_index)

    def export_semantic_segmentation(
        self,
        tasks: Tasks,
        output_dir: str | os.PathLike[str] = "output/semantic_segmentation",
        pallete: Sequence[int] = COLOR_PALETTE,
        classes: Iterable[str] | None = None,
        start_index: int = 1,
    ) -> None:
        """Write tasks as masks, ``<name>.png``, whose indexes are classes; ``classes.json`` names them.

        :param tasks: task objects.
        :param output_dir: folder; made if missing.
        :param pallete: R, G, B, R, G, B, … from index 0; completed to 256 colours.
        :param classes: class values in the order of their indexes. Default: those that are drawn, sorted.
        :param start_index: index of the first class, 1 or 0.
        :raises FastLabelInvalidException: (422) malformed points, or a palette of no whole colours.
        """
        self._export_masks("semantic", tasks, output_dir, pallete, classes, start_index)

    def export_image_with_annotations(
        self,
        tasks: Tasks,
        image_dir: str | os.PathLike[str],
        output_dir: str | os.PathLike[str] = "output/images_with_annotations",
    ) -> None:
        """Draw annotations onto images and write them under the same names.

        :param tasks: task objects; a task's name is the image's path relative to ``image_dir``.
        :param image_dir: folder of the images (jpeg, jpg, png, tif, tiff, bmp), with sub-folders.
        :param output_dir: folder; made if missing.
        :raises FastLabelInvalidException: (422) malformed points, or an image that cannot be read; it is named.
        """
        from airflow_provider_fastlabel.formats.drawings import export_drawings

        with self._export(output_dir, tasks) as (folder, known, before):
            report = export_drawings(known, Path(image_dir), folder)
            _tell("export_image_with_annotations", report, before)

    def convert_coco_to_fastlabel(
        self, file_path: str | os.PathLike[str], annotation_type: str | None = None
    ) -> AnnotationsByImage:
        """Read a COCO file.

        :param file_path: the JSON file.
        :param annotation_type: ``bbox``, ``polygon``, ``segmentation`` or ``pose_estimation``: what every object
            becomes. Default: decided for each object by what the file says of it.
        :returns: image ``file_name`` -> annotations for :meth:`create_image_task`, without the formats' own flags
            (``iscrowd``, ``occluded`` ...), which :func:`.read_coco` keeps.
        :raises FastLabelInvalidException: (422) another type, or no COCO file.
        :raises OSError: the file cannot be read.
        """
        from airflow_provider_fastlabel.formats.coco import read_coco

        with _invalid_as_422():
            found = read_coco(file_path, cast("CocoType | None", annotation_type))
        return _annotations("COCO", file_path, found)

    def convert_yolo_to_fastlabel(
        self,
        classes_file_path: str | os.PathLike[str] | None,
        dataset_folder_path: str | os.PathLike[str],
        project_type: str | None = None,
    ) -> AnnotationsByImage:
        """Read a folder of images with YOLO labels.

        :param classes_file_path: ``classes.txt``, ``obj.names``, ``data.yaml`` or another YAML file with ``names``; it
            may lie in the folder. None looks for it there.
        :param dataset_folder_path: the folder, flat or with ``images`` and ``labels``.
        :param project_type: ``segmentation`` or ``polygon``: outlines of this type; ``pose_estimation``: poses, their
            keypoints named by ``kpt_names`` of ``data.yaml``; also as ``image_segmentation`` …; ``obb``: turned boxes.
            Default, and any other: boxes, also of outlines, and of poses where the YAML file has ``kpt_shape``.
        :returns: image path relative to the folder -> annotations for :meth:`create_image_task`.
        :raises FastLabelInvalidException: (422) a classes file without classes, several that disagree, or rows that
            may be outlines as well as poses where nothing says which.
        """
        from airflow_provider_fastlabel.formats.yolo import read_yolo

        with _invalid_as_422():
            found = read_yolo(classes_file_path, dataset_folder_path, **_yolo_options(project_type or ""))
        return _annotations("YOLO", dataset_folder_path, found)

    def convert_pascalvoc_to_fastlabel(self, folder_path: str | os.PathLike[str]) -> AnnotationsByImage:
        """Read a folder of Pascal VOC files.

        :param folder_path: the folder, read with its sub-folders; corners count from 1, as the VOC devkit says.
        :returns: image path relative to the folder -> annotations for :meth:`create_image_task`.
        :raises FastLabelInvalidException: (422) a corner at 0 although corners count from 1.
        """
        from airflow_provider_fastlabel.formats.pascalvoc import read_pascalvoc

        with _invalid_as_422():
            found = read_pascalvoc(folder_path)
        return _annotations("Pascal VOC", folder_path, found)

    def convert_labelme_to_fastlabel(self, folder_path: str | os.PathLike[str]) -> AnnotationsByImage:
        """Read a folder of labelme files; :func:`.read_labelme` has an argument for what shapes become.

        :param folder_path: the folder, read with its sub-folders.
        :returns: image path relative to the folder -> annotations for :meth:`create_image_task`.
        """
        from airflow_provider_fastlabel.formats.labelme import read_labelme

        with _invalid_as_422():
            found = read_labelme(folder_path)
        return _annotations("labelme", folder_path, found)

    def mask_to_fastlabel_segmentation_points(
        self, mask_image: str | os.PathLike[str] | NDArray[Any]
    ) -> list[list[list[float]]]:
        """Turn a mask into the points of a segmentation annotation, exact to the pixel.

        :param mask_image: path of a mask picture, or a two-dimensional array; what is not 0 is foreground.
        :returns: regions of closed rings, see :mod:`airflow_provider_fastlabel.formats.masks.read`.
        :raises FastLabelInvalidException: (422) no mask.
        """
        from airflow_provider_fastlabel.formats.masks import mask_to_fastlabel_segmentation_points

        with _invalid_as_422():
            return mask_to_fastlabel_segmentation_points(mask_image)

    def _export_masks(
        self,
        kind: Literal["semantic", "instance"],
        tasks: Tasks,
        output_dir: str | os.PathLike[str],
        palette: Sequence[int],
        classes: Iterable[str] | None,
        start_index: int,
    ) -> None:
        from airflow_provider_fastlabel.formats.masks import export_masks

        with self._export(output_dir, tasks) as (folder, known, before):
            given = classes or None
            report = export_masks(known, folder, kind=kind, classes=given, palette=palette, start_index=start_index)
            _tell(f"export_{kind}_segmentation", report, before)

    @contextmanager
    def _export(
        self, output_dir: str | os.PathLike[str], tasks: Tasks, project_type: str = ""
    ) -> Iterator[tuple[Path, Tasks, ExportReport]]:
        """Make the folder, and image tasks of videos and sequences; count what they do not get."""
        from airflow_provider_fastlabel.formats.writing.report import ExportReport
        from airflow_provider_fastlabel.formats.writing.sequence import image_tasks
        from airflow_provider_fastlabel.formats.writing.video import expanded

        before = ExportReport()
        folder = Path(output_dir)
        with _invalid_as_422():
            folder.mkdir(parents=True, exist_ok=True)
            if project_type.startswith("video_"):
                tasks = expanded(tasks, self._clip, folder / "images", before)
            else:
                tasks = image_tasks(tasks, before)
            yield folder, tasks, before

    @contextmanager
    def _clip(self, task: Mapping[str, Any]) -> Iterator[Path]:
        """Download a task's clip for as long as it is read."""
        url = task.get("url")
        if not url:
            raise FastLabelInvalidException(f"Task {task.get('name')!r} has no url to download its clip from.", 422)
        with scratch_folder("fastlabel-clip-") as folder:
            clip = folder / "clip.mp4"
            self._transport.download(str(url), clip)
            yield clip

    def _type_of(self, project: str) -> str:
        """Return a project's type."""
        found = self.find_project_by_slug(slug=project)
        if found is None:
            raise FastLabelInvalidException(f"There is no project {project!r}. Check its slug.", 422)
        return str(found.get("type") or "")


def _yolo_options(project_type: str) -> dict[str, Any]:
    """Return the reader's arguments for a type as the seed's methods take it."""
    rows = {ending: {"task": task} for ending, task in _YOLO_ROWS.items()}
    outlines = {kind: {"task": "segment", "annotation_type": kind} for kind in ("segmentation", "polygon")}
    return next(
        (own for end, own in (rows | outlines).items() if project_type.endswith(end)), {"annotation_type": "bbox"}
    )


@contextmanager
def _invalid_as_422() -> Iterator[None]:
    """Turn what the formats refuse into the client's own exception."""
    try:
        yield
    except FastLabelException:
        raise
    except ValueError as error:
        # The formats advise what the seed's methods have no argument for.
        known = _BY_WHOM if any(word in str(error) for word in _ADVICE) else ""
        raise FastLabelInvalidException(f"{error}{known}", 422) from error


def _tell(method: str, report: ExportReport, before: ExportReport) -> None:
    """Say in the log what is not in the output, whether or not the writer saw it."""
    report.add_before(before)
    if report.skipped:
        left = ", ".join(f"{count} {reason}" for reason, count in report.top_reasons().items())
        total = report.annotations_in
        log.warning("%s: %d of %d annotations left out: %s", method, total - report.annotations, total, left)


def _annotations(name: str, place: str | os.PathLike[str], imported: ImportedAnnotations) -> AnnotationsByImage:
    """Return what was read, ready for the create methods, and say in the log what was not."""
    lost: Counter[str] = Counter()
    for problem in imported.problems:
        lost[problem.reason] += problem.lost
    if lost.total():
        log.warning("%s: %d of %d objects lost: %s", name, lost.total(), imported.read, _counted(lost))
    _list(log.warning, name, imported.problems, "problems")
    _list(log.info, name, imported.notes, "notes")
    flags = _drop_flags(found := {image: list(own) for image, own in imported.by_image.items()})
    if flags:
        log.info("%s: left out the flags of the format: %s", name, _counted(flags))
    if not any(found.values()):
        log.warning("%s: no annotations were found in %s. Check that it is the right place and format.", name, place)
    return found


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(counts.items()) if count)


def _list(tell: Callable[..., None], name: str, entries: Sequence[EntryProblem], what: str) -> None:
    """Tell the first entries, and how many more there are."""
    for entry in entries[:_PROBLEMS_TOLD]:
        tell("%s: %s", name, entry)
    if len(entries) > _PROBLEMS_TOLD:
        tell("%s: and %d more %s", name, len(entries) - _PROBLEMS_TOLD, what)


def _drop_flags(by_image: AnnotationsByImage) -> Counter[str]:
    """Take away, and count, what formats note about every object: a class rarely has it, and the create call fails."""
    from airflow_provider_fastlabel.formats.reading.imported import FORMAT_FLAGS

    dropped: Counter[str] = Counter()
    for annotation in chain.from_iterable(by_image.values()):
        given = annotation.get("attributes") or []
        flags = [one["key"] for one in given if one["key"] in FORMAT_FLAGS]
        if flags:
            dropped.update(flags)
            annotation["attributes"] = [one for one in given if one["key"] not in FORMAT_FLAGS]
    return dropped

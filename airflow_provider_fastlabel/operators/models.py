"""Starts jobs of models (training, evaluation, automatic annotation) and waits for their end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow_provider_fastlabel.operators.model_job import FastLabelModelJobOperator
from airflow_provider_fastlabel.utils.links import MODEL_JOB, PROJECT
from airflow_provider_fastlabel.utils.numbers import SHARE, Number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_fastlabel.utils.links import Links

__all__ = [
    "FastLabelRunAutoAnnotationJobOperator",
    "FastLabelRunEvaluationJobOperator",
    "FastLabelRunTrainingJobOperator",
]


class FastLabelRunTrainingJobOperator(FastLabelModelJobOperator):
    """Trains a model on a dataset and waits until it is trained. Retries and waiting: see its base class.

    Returns ``{"job_id", "kind", "status", "base_model_name", "model_id", "model_name", "model_url", "content_count",
    "created_at", "completed_at"}``; the address is without its signature. The job id is also pushed to XCom as
    ``job_id`` before the waiting starts.

    :param dataset_name: name of the dataset to train on. Templated.
    :param base_model_name: such as ``fastlabel_object_detection_light``. Templated.
    :param epoch: number of epochs. Templated.
    :param dataset_revision_id: revision of the dataset, the latest if ``None``. Templated.
    :param use_dataset_train_val: whether the types ``train`` and ``valid`` of the objects decide the split.
    :param instance_type: machine to train on. Templated.
    :param batch_size: images per step. Templated.
    :param learning_rate: step size. Templated.
    :param resize_option: ``fixed`` or ``none``.
    :param resize_dimension: 512 or 1024 pixels. Templated.
    :param annotation_value: class to train; ``fastlabel_keypoint_rcnn`` needs it. Templated.
    :param config_file_path: configuration file on the worker to send along. Templated.
    """

    template_fields: Sequence[str] = (
        *FastLabelModelJobOperator.template_fields,
        "dataset_name",
        "base_model_name",
        "dataset_revision_id",
        "instance_type",
        "annotation_value",
        "config_file_path",
        "epoch",
        "batch_size",
        "learning_rate",
        "resize_dimension",
    )
    numbers: ClassVar[Mapping[str, Number]] = {
        "epoch": Number(least=1),
        "batch_size": Number(least=1, optional=True),
        "learning_rate": Number(whole=False, above=0, optional=True),
        "resize_dimension": Number(least=1, optional=True),
    }
    kind = "training"

    def __init__(
        self,
        *,
        dataset_name: str,
        base_model_name: str,
        epoch: int | str,
        dataset_revision_id: str | None = None,
        use_dataset_train_val: bool = False,
        instance_type: str = "ml.p3.2xlarge",
        batch_size: int | str | None = None,
        learning_rate: float | str | None = None,
        resize_option: Literal["fixed", "none"] | None = None,
        resize_dimension: int | str | None = None,
        annotation_value: str = "",
        config_file_path: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dataset_name = dataset_name
        self.base_model_name = base_model_name
        self.epoch = epoch
        self.dataset_revision_id = dataset_revision_id
        self.use_dataset_train_val = use_dataset_train_val
        self.instance_type = instance_type
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.resize_option = resize_option
        self.resize_dimension = resize_dimension
        self.annotation_value = annotation_value
        self.config_file_path = config_file_path

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of ``execute_training_job``."""
        return {
            "dataset_name": self.dataset_name,
            "base_model_name": self.base_model_name,
            "epoch": self.epoch,
            "dataset_revision_id": self.dataset_revision_id,
            "use_dataset_train_val": self.use_dataset_train_val,
            "instance_type": self.instance_type,
            "batch_size": self.batch_size,
            "learning_rate": self.learning_rate,
            "resize_option": self.resize_option,
            "resize_dimension": self.resize_dimension,
            "annotation_value": self.annotation_value,
            "config_file_path": self.config_file_path,
        }

    def looks_like_ours(self, job: Mapping[str, Any]) -> bool:
        """Compare base model, machine and number of epochs; the list shows no more."""
        shown = job.get("baseModelName"), job.get("instanceType"), job.get("epoch")
        return shown == (self.base_model_name, self.instance_type, self.epoch)


class FastLabelRunEvaluationJobOperator(FastLabelModelJobOperator):
    """Evaluates a model on a dataset and waits for the scores. Retries and waiting: see its base class.

    Returns ``{"job_id", "kind", "status", "model_name", "content_count", "metrics", "created_at", "completed_at"}``;
    ``metrics`` holds ``mAP``, ``recall``, ``precision`` and ``f1``. The job id is also pushed to XCom as ``job_id``
    before the waiting starts.

    :param dataset_name: name of the dataset to evaluate on. Templated.
    :param model_name: name of the model. Templated.
    :param iou_threshold: overlap from which a prediction counts as found, 0 to 1. Templated.
    :param confidence_threshold: score from which a prediction counts at all, 0 to 1. Templated.
    :param dataset_revision_id: revision of the dataset, the latest if ``None``. Templated.
    :param use_dataset_test: whether to take only objects of the type ``test``.
    """

    template_fields: Sequence[str] = (
        *FastLabelModelJobOperator.template_fields,
        "dataset_name",
        "model_name",
        "dataset_revision_id",
        "iou_threshold",
        "confidence_threshold",
    )
    numbers: ClassVar[Mapping[str, Number]] = {"iou_threshold": SHARE, "confidence_threshold": SHARE}
    kind = "evaluation"

    def __init__(
        self,
        *,
        dataset_name: str,
        model_name: str,
        iou_threshold: float | str = 0.5,
        confidence_threshold: float | str = 0.4,
        dataset_revision_id: str | None = None,
        use_dataset_test: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dataset_name = dataset_name
        self.model_name = model_name
        self.iou_threshold = iou_threshold
        self.confidence_threshold = confidence_threshold
        self.dataset_revision_id = dataset_revision_id
        self.use_dataset_test = use_dataset_test

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of ``execute_evaluation_job``."""
        return {
            "dataset_name": self.dataset_name,
            "model_name": self.model_name,
            "iou_threshold": self.iou_threshold,
            "confidence_threshold": self.confidence_threshold,
            "dataset_revision_id": self.dataset_revision_id,
            "use_dataset_test": self.use_dataset_test,
        }

    def looks_like_ours(self, job: Mapping[str, Any]) -> bool:
        """Compare model and thresholds, and the dataset where it is shown."""
        dataset = job.get("dataset") or {}
        shown = job.get("modelName"), job.get("iouThreshold"), job.get("confidenceThreshold")
        same = shown == (self.model_name, self.iou_threshold, self.confidence_threshold)
        return same and dataset.get("name") in (None, self.dataset_name)


class FastLabelRunAutoAnnotationJobOperator(FastLabelModelJobOperator):
    """Lets a model annotate the tasks of a project and waits until it has. Retries and waiting: see its base class.

    Returns ``{"job_id", "kind", "status", "model_name", "content_count", "annotation_count", "created_at",
    "completed_at"}``. The job id is also pushed to XCom as ``job_id`` before the waiting starts.

    :param project: slug of the project. Templated.
    :param model_name: name of the model. Templated.
    :param algorithm_type: ``object_detection``, ``ocr`` or ``image_classification``, where the name alone is not
        unique. Templated.
    :param update_existing: whether to change annotations that are there already.
    :param confidence_threshold: score from which a prediction becomes an annotation, 0 to 1. Templated.
    :param use_tta: whether to average over altered copies of each image (test time augmentation).
    :param use_flip: whether flipped copies are among them.
    :param processing_speed: ``low``, ``medium`` or ``high``.
    :param auto_creation: whether to make missing annotation classes and their mapping.
    """

    template_fields: Sequence[str] = (
        *FastLabelModelJobOperator.template_fields,
        "project",
        "model_name",
        "algorithm_type",
        "confidence_threshold",
    )
    operator_extra_links: Links = (PROJECT, MODEL_JOB)
    numbers: ClassVar[Mapping[str, Number]] = {"confidence_threshold": SHARE}
    kind = "auto_annotation"

    def __init__(
        self,
        *,
        project: str,
        model_name: str,
        algorithm_type: str | None = None,
        update_existing: bool = False,
        confidence_threshold: float | str = 0.4,
        use_tta: bool = False,
        use_flip: bool = False,
        processing_speed: Literal["low", "medium", "high"] = "low",
        auto_creation: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project = project
        self.model_name = model_name
        self.algorithm_type = algorithm_type
        self.update_existing = update_existing
        self.confidence_threshold = confidence_threshold
        self.use_tta = use_tta
        self.use_flip = use_flip
        self.processing_speed = processing_speed
        self.auto_creation = auto_creation

    def project_slug(self) -> str:
        """Return the project."""
        return self.project

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of ``execute_auto_annotation_job``."""
        return {
            "project": self.project,
            "model_name": self.model_name,
            "algorithm_type": self.algorithm_type,
            "update_existing": self.update_existing,
            "confidence_threshold": self.confidence_threshold,
            "use_tta": self.use_tta,
            "use_flip": self.use_flip,
            "processing_speed": self.processing_speed,
            "auto_creation": self.auto_creation,
        }

    def looks_like_ours(self, job: Mapping[str, Any]) -> bool:
        """Compare the model; the project is that of the list."""
        return job.get("modelName") == self.model_name

"""Training, evaluation and automatic annotation jobs, and model endpoints.

Starting a job is never repeated by itself: when the answer to it is lost, :class:`OutcomeUnknown` is raised, because a
second job costs a second time.
"""

# The answers are what the API sends; their types describe it and are not checked at run time.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_fastlabel.client.arguments import paging, required
from airflow_provider_fastlabel.client.checks.media import check_extension, sized_file
from airflow_provider_fastlabel.client.http.bodies import FilePart, StreamedBody
from airflow_provider_fastlabel.client.http.paging import iterate
from airflow_provider_fastlabel.client.http.shapes import a_list, an_object
from airflow_provider_fastlabel.client.kinds import IMAGE, MB
from airflow_provider_fastlabel.client.resources.resource import Resource, present, segment

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    from airflow_provider_fastlabel.client.types import (
        AutoAnnotationJob,
        EndpointResult,
        EvaluationJob,
        TrainingJob,
    )

MAXIMUM = 1000
INSTANCE_TYPE = "ml.p3.2xlarge"
ENDPOINT_IMAGE = 6 * MB


class Models(Resource):
    """The calls on models."""

    def get_training_jobs(self, offset: int | None = None, limit: int | None = 100) -> list[TrainingJob]:
        """Return training jobs.

        :param offset: position of the first job, from 0.
        :param limit: jobs per call, at most 1000.
        :raises FastLabelInvalidException: (422) if ``limit`` is larger.
        """
        params = present(paging(offset, limit, MAXIMUM))
        return self._transport.get("trainings", params, shape=a_list)

    def iter_training_jobs(self) -> Iterator[TrainingJob]:
        """Yield all training jobs."""
        return iterate("trainings", self.get_training_jobs, MAXIMUM, key="trainingJobId")

    def find_training_job(self, id: str) -> TrainingJob:
        """Return a training job.

        :param id: id of the job.
        :raises NotFound: if there is none.
        """
        return self._transport.get(f"trainings/{segment(id)}", shape=an_object)

    def execute_training_job(
        self,
        dataset_name: str,
        base_model_name: str,
        epoch: int,
        dataset_revision_id: str | None = None,
        use_dataset_train_val: bool = False,
        instance_type: str = INSTANCE_TYPE,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        resize_option: Literal["fixed", "none"] | None = None,
        resize_dimension: int | None = None,
        annotation_value: str = "",
        config_file_path: str | os.PathLike[str] | None = None,
    ) -> Any:
        """Start a training job.

        :param dataset_name: name of the dataset to train on.
        :param base_model_name: such as ``fastlabel_object_detection_light``,
            ``fastlabel_object_detection_high_accuracy`` or ``fastlabel_u_net_general``.
        :param epoch: number of epochs.
        :param dataset_revision_id: revision of the dataset, the latest if ``None``.
        :param use_dataset_train_val: whether the types ``train`` and ``valid`` of the objects decide the split.
        :param instance_type: machine to train on.
        :param batch_size: images per step.
        :param learning_rate: step size.
        :param resize_option: ``fixed`` or ``none``.
        :param resize_dimension: 512 or 1024 pixels.
        :param annotation_value: class to train; ``fastlabel_keypoint_rcnn`` needs it.
        :param config_file_path: configuration file to send along.
        :returns: what FastLabel answers.
        :raises OutcomeUnknown: the answer was lost; look with :meth:`get_training_jobs` before starting another.
        """
        required(dataset_name=dataset_name, base_model_name=base_model_name)
        optional = {
            "datasetRevisionId": dataset_revision_id,
            "batchSize": batch_size,
            "learningRate": learning_rate,
            "resizeOption": resize_option,
            "resizeDimension": resize_dimension,
            "annotationValue": annotation_value or None,
            "configFile": None if config_file_path is None else FilePart(config_file_path),
        }
        body = {
            "datasetName": dataset_name,
            "baseModelName": base_model_name,
            "epoch": epoch,
            "useDatasetTrainVal": use_dataset_train_val,
            "instanceType": instance_type,
            **_given(optional),
        }
        return self._transport.post("trainings", StreamedBody(body))

    def get_evaluation_jobs(self, offset: int | None = None, limit: int | None = MAXIMUM) -> list[EvaluationJob]:
        """Return evaluation jobs.

        :param offset: position of the first job, from 0.
        :param limit: jobs per call, at most 1000.
        :raises FastLabelInvalidException: (422) if ``limit`` is larger.
        """
        params = present(paging(offset, limit, MAXIMUM))
        return self._transport.get("evaluations", params, shape=a_list)

    def iter_evaluation_jobs(self) -> Iterator[EvaluationJob]:
        """Yield all evaluation jobs."""
        return iterate("evaluations", self.get_evaluation_jobs, MAXIMUM)

    def find_evaluation_job(self, id: str) -> EvaluationJob:
        """Return an evaluation job.

        :param id: id of the job.
        :raises NotFound: if there is none.
        """
        return self._transport.get(f"evaluations/{segment(id)}", shape=an_object)

    def execute_evaluation_job(
        self,
        dataset_name: str,
        model_name: str,
        iou_threshold: float = 0.5,
        confidence_threshold: float = 0.4,
        dataset_revision_id: str | None = None,
        use_dataset_test: bool = False,
        instance_type: str = INSTANCE_TYPE,
        batch_size: int | None = None,
        learning_rate: float | None = None,
    ) -> Any:
        """Start an evaluation job.

        FastLabel's own client takes the last three parameters and never sends them. Here they are sent, under the names
        of the training call, when they differ from their defaults; FastLabel does not document that it heeds them.

        :param dataset_name: name of the dataset to evaluate on.
        :param model_name: name of the model.
        :param iou_threshold: overlap from which a prediction counts as found, 0 to 1.
        :param confidence_threshold: score from which a prediction counts at all, 0 to 1.
        :param dataset_revision_id: revision of the dataset, the latest if ``None``.
        :param use_dataset_test: whether to take only objects of the type ``test``.
        :param instance_type: machine to evaluate on.
        :param batch_size: images per step.
        :param learning_rate: kept for programs that pass it.
        :returns: what FastLabel answers.
        :raises OutcomeUnknown: the answer was lost; look with :meth:`get_evaluation_jobs` before starting another.
        """
        required(dataset_name=dataset_name, model_name=model_name)
        optional = {
            "datasetRevisionId": dataset_revision_id,
            "instanceType": None if instance_type == INSTANCE_TYPE else instance_type,
            "batchSize": batch_size,
            "learningRate": learning_rate,
        }
        body = {
            "modelName": model_name,
            "datasetName": dataset_name,
            "iouThreshold": iou_threshold,
            "confidenceThreshold": confidence_threshold,
            "useDatasetTest": use_dataset_test,
            **_given(optional),
        }
        return self._transport.post("evaluations", body)

    def get_auto_annotation_jobs(
        self, project: str, offset: int | None = None, limit: int | None = MAXIMUM
    ) -> list[AutoAnnotationJob]:
        """Return the automatic annotation jobs of a project.

        :param project: slug of the project.
        :param offset: position of the first job, from 0.
        :param limit: jobs per call, at most 1000.
        :raises FastLabelInvalidException: (422) if ``project`` is empty or ``limit`` is larger.
        """
        params = required(project=project) | present(paging(offset, limit, MAXIMUM))
        return self._transport.get("auto-annotations", params, shape=a_list)

    def iter_auto_annotation_jobs(self, project: str) -> Iterator[AutoAnnotationJob]:
        """Yield all automatic annotation jobs of a project.

        :param project: slug of the project.
        """
        return iterate(
            "auto-annotations", lambda offset, limit: self.get_auto_annotation_jobs(project, offset, limit), MAXIMUM
        )

    def execute_auto_annotation_job(
        self,
        project: str,
        model_name: str,
        algorithm_type: str | None = None,
        update_existing: bool = False,
        confidence_threshold: float = 0.4,
        use_tta: bool = False,
        use_flip: bool = False,
        processing_speed: Literal["low", "medium", "high"] | None = "low",
        auto_creation: bool = True,
    ) -> Any:
        """Start an automatic annotation job over the tasks of a project.

        :param project: slug of the project.
        :param model_name: name of the model, Japanese or English.
        :param algorithm_type: ``object_detection``, ``ocr`` or ``image_classification``, where the name alone is not
            unique.
        :param update_existing: whether to change annotations that are there already.
        :param confidence_threshold: score from which a prediction becomes an annotation, 0 to 1.
        :param use_tta: whether to average over altered copies of each image (test time augmentation).
        :param use_flip: whether flipped copies are among them.
        :param processing_speed: ``low``, ``medium`` or ``high``.
        :param auto_creation: whether to make missing annotation classes and their mapping.
        :returns: what FastLabel answers, the id of the job.
        :raises OutcomeUnknown: the answer was lost; look with :meth:`get_auto_annotation_jobs` before starting another.
        """
        required(project=project, model_name=model_name)
        body = {
            "project": project,
            "modelName": model_name,
            "updateExisting": update_existing,
            "confidenceThreshold": confidence_threshold,
            "useTTA": use_tta,
            "useFlip": use_flip,
            "processingSpeed": processing_speed,
            "autoCreation": auto_creation,
            **_given({"algorithmType": algorithm_type}),
        }
        return self._transport.post("auto-annotations", body)

    def execute_endpoint(self, endpoint_name: str, file_path: str | os.PathLike[str]) -> EndpointResult:
        """Send an image through a model endpoint. Endpoints are made on FastLabel's screen first.

        :param endpoint_name: name of the endpoint.
        :param file_path: png, jpg or jpeg of at most 6 MB.
        :returns: ``json``, the findings, and ``file``, the drawn image as base64 text, which may begin with
            ``data:...;base64,``.
        :raises FastLabelInvalidException: (422) for another extension, or a file that is larger, empty or cannot be
            read.
        """
        required(endpoint_name=endpoint_name)
        check_extension(file_path, IMAGE)
        file = sized_file(file_path, "endpoints", ENDPOINT_IMAGE, smallest=1)
        body = {"modelEndpointName": endpoint_name, "file": file}
        return self._transport.post("model-endpoints/execute", StreamedBody(body), idempotent=True)


def _given(fields: Mapping[str, object]) -> dict[str, object]:
    """Return the fields that are not ``None``."""
    return {key: value for key, value in fields.items() if value is not None}

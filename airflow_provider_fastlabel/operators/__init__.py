"""The FastLabel operators, one module per job; all can be imported from here and load only when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_fastlabel.lazy import loads

if TYPE_CHECKING:
    from airflow_provider_fastlabel.operators.chunks.chunk import FastLabelImportChunkOperator
    from airflow_provider_fastlabel.operators.chunks.plan import FastLabelPlanImportOperator
    from airflow_provider_fastlabel.operators.chunks.summary import FastLabelImportSummaryOperator
    from airflow_provider_fastlabel.operators.classes import FastLabelCreateClassesFromDatasetOperator
    from airflow_provider_fastlabel.operators.datasets.check import FastLabelCheckDatasetOperator
    from airflow_provider_fastlabel.operators.datasets.compare import FastLabelCompareDatasetsOperator
    from airflow_provider_fastlabel.operators.datasets.report import FastLabelReportOperator
    from airflow_provider_fastlabel.operators.datasets.scorecard import FastLabelScorecardOperator
    from airflow_provider_fastlabel.operators.datasets.send_back import FastLabelSendBackOperator
    from airflow_provider_fastlabel.operators.decide import FastLabelDecideTasksOperator
    from airflow_provider_fastlabel.operators.dicom import FastLabelCreateDicomTasksOperator
    from airflow_provider_fastlabel.operators.endpoint import FastLabelExecuteEndpointOperator
    from airflow_provider_fastlabel.operators.exports import (
        FastLabelExportAnnotatedImagesOperator,
        FastLabelExportCocoOperator,
        FastLabelExportLabelmeOperator,
        FastLabelExportMasksOperator,
        FastLabelExportPascalVocOperator,
        FastLabelExportYoloOperator,
    )
    from airflow_provider_fastlabel.operators.imports import FastLabelCreateTasksFromFolderOperator
    from airflow_provider_fastlabel.operators.models import (
        FastLabelRunAutoAnnotationJobOperator,
        FastLabelRunEvaluationJobOperator,
        FastLabelRunTrainingJobOperator,
    )
    from airflow_provider_fastlabel.operators.monitoring import FastLabelPushMonitoringResultsOperator
    from airflow_provider_fastlabel.operators.projects import (
        FastLabelApplyProjectOperator,
        FastLabelCopyProjectOperator,
    )
    from airflow_provider_fastlabel.operators.s3_import import FastLabelCreateTasksFromS3Operator
    from airflow_provider_fastlabel.operators.update import FastLabelDeleteTasksOperator, FastLabelUpdateTasksOperator

__all__ = [
    "FastLabelApplyProjectOperator",
    "FastLabelCheckDatasetOperator",
    "FastLabelCompareDatasetsOperator",
    "FastLabelCopyProjectOperator",
    "FastLabelCreateClassesFromDatasetOperator",
    "FastLabelCreateDicomTasksOperator",
    "FastLabelCreateTasksFromFolderOperator",
    "FastLabelCreateTasksFromS3Operator",
    "FastLabelDecideTasksOperator",
    "FastLabelDeleteTasksOperator",
    "FastLabelExecuteEndpointOperator",
    "FastLabelExportAnnotatedImagesOperator",
    "FastLabelExportCocoOperator",
    "FastLabelExportLabelmeOperator",
    "FastLabelExportMasksOperator",
    "FastLabelExportPascalVocOperator",
    "FastLabelExportYoloOperator",
    "FastLabelImportChunkOperator",
    "FastLabelImportSummaryOperator",
    "FastLabelPlanImportOperator",
    "FastLabelPushMonitoringResultsOperator",
    "FastLabelReportOperator",
    "FastLabelRunAutoAnnotationJobOperator",
    "FastLabelRunEvaluationJobOperator",
    "FastLabelRunTrainingJobOperator",
    "FastLabelScorecardOperator",
    "FastLabelSendBackOperator",
    "FastLabelUpdateTasksOperator",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = loads(
        __name__,
        {
            "FastLabelApplyProjectOperator": "projects",
            "FastLabelCheckDatasetOperator": "datasets.check",
            "FastLabelCompareDatasetsOperator": "datasets.compare",
            "FastLabelCopyProjectOperator": "projects",
            "FastLabelCreateClassesFromDatasetOperator": "classes",
            "FastLabelCreateDicomTasksOperator": "dicom",
            "FastLabelCreateTasksFromFolderOperator": "imports",
            "FastLabelCreateTasksFromS3Operator": "s3_import",
            "FastLabelDecideTasksOperator": "decide",
            "FastLabelDeleteTasksOperator": "update",
            "FastLabelExecuteEndpointOperator": "endpoint",
            "FastLabelExportAnnotatedImagesOperator": "exports",
            "FastLabelExportCocoOperator": "exports",
            "FastLabelExportLabelmeOperator": "exports",
            "FastLabelExportMasksOperator": "exports",
            "FastLabelExportPascalVocOperator": "exports",
            "FastLabelExportYoloOperator": "exports",
            "FastLabelImportChunkOperator": "chunks.chunk",
            "FastLabelImportSummaryOperator": "chunks.summary",
            "FastLabelPlanImportOperator": "chunks.plan",
            "FastLabelPushMonitoringResultsOperator": "monitoring",
            "FastLabelReportOperator": "datasets.report",
            "FastLabelRunAutoAnnotationJobOperator": "models",
            "FastLabelRunEvaluationJobOperator": "models",
            "FastLabelRunTrainingJobOperator": "models",
            "FastLabelScorecardOperator": "datasets.scorecard",
            "FastLabelSendBackOperator": "datasets.send_back",
            "FastLabelUpdateTasksOperator": "update",
        },
    )

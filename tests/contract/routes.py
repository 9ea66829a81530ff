"""Verb and path of every mandatory method, from the documentation: a third reading beside client and emulator."""

from __future__ import annotations

import re

_KINDS = {
    "image": "image",
    "image_classification": "image/classification",
    "sequential_image": "sequential-image",
    "video": "video",
    "video_classification": "video/classification",
    "text": "text",
    "text_classification": "text/classification",
    "audio": "audio",
    "audio_classification": "audio/classification",
    "pcd": "pcd",
    "sequential_pcd": "sequential-pcd",
    "dicom": "dicom",
}


def _of_kind(name: str, path: str) -> dict[str, list[str]]:
    create = [f"POST tasks/{path}"] if name != "dicom" else ["GET files", "POST tasks/dicom"]
    return {
        f"find_{name}_task": [f"GET tasks/{path}/{{id}}"],
        f"find_{name}_task_by_name": [f"GET tasks/{path}"],
        f"get_{name}_tasks": [f"GET tasks/{path}"],
        f"create_{name}_task": create,
        f"update_{name}_task": [f"PUT tasks/{path}/{{id}}"],
    }


ROUTES: dict[str, list[str]] = {
    "create_integrated_image_task": ["POST tasks/integrated-image"],
    "create_integrated_image_classification_task": ["POST tasks/integrated-image/classification"],
    "find_integrated_image_task_by_prefix": ["GET tasks/integrate/images"],
    "find_integrated_video_task_by_prefix": ["GET tasks/integrate/videos"],
    "find_integrated_audio_task_by_prefix": ["GET tasks/integrate/audios"],
    "update_task": ["PUT tasks/{id}"],
    "delete_task": ["DELETE tasks/{id}"],
    "delete_task_annotations": ["DELETE tasks/{id}/task-annotations"],
    "get_task_id_name_map": ["GET tasks/map/id-name"],
    "count_tasks": ["GET tasks/count"],
    "update_aws_s3_storage": ["PUT storages/aws-s3/your-project-slug"],
    "create_task_from_aws_s3": ["POST tasks/aws-s3"],
    "get_aws_s3_import_status_by_project": ["GET tasks/import/status/aws-s3/your-project-slug"],
    "find_history": ["GET tasks/import/histories/{id}"],
    "get_histories": ["GET tasks/import/histories"],
    "create_annotation": ["POST annotations"],
    "create_classification_annotation": ["POST annotations/classification"],
    "find_annotation": ["GET annotations/{id}"],
    "find_annotation_by_value": ["GET annotations"],
    "get_annotations": ["GET annotations"],
    "update_annotation": ["PUT annotations/{id}"],
    "update_classification_annotation": ["PUT annotations/classification/{id}"],
    "delete_annotation": ["DELETE annotations/{id}"],
    "create_project": ["POST projects"],
    "find_project": ["GET projects/{id}"],
    "find_project_by_slug": ["GET projects"],
    "get_projects": ["GET projects"],
    "update_project": ["PUT projects/{id}"],
    "delete_project": ["DELETE projects/{id}"],
    "copy_project": ["POST projects/copy"],
    "get_tags": ["GET tags"],
    "delete_tags": ["POST tags/delete/multi"],
    "export_coco": ["GET projects"],
    "export_yolo": ["GET projects"],
    "export_pascalvoc": ["GET projects"],
    "export_labelme": [],
    "export_instance_segmentation": [],
    "export_semantic_segmentation": [],
    "export_image_with_annotations": [],
    "convert_coco_to_fastlabel": [],
    "convert_yolo_to_fastlabel": [],
    "convert_pascalvoc_to_fastlabel": [],
    "convert_labelme_to_fastlabel": [],
    "get_training_jobs": ["GET trainings"],
    "execute_endpoint": ["POST model-endpoints/execute"],
    "create_model_monitoring_request_results": ["POST model-monitorings/create"],
}
for _name, _path in _KINDS.items():
    ROUTES |= _of_kind(_name, _path)

_IDENT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def route_of(call: dict[str, str]) -> str:
    """Return verb and path of a logged call, ids as ``{id}``."""
    return f"{call['method']} {_IDENT.sub('{id}', call['path'])}"

"""Where our client differs from the official SDK, by method, with the reason. Whatever is not listed here is equal."""

from __future__ import annotations

SDK_VERSION = "0.26.0"

WIRE = {
    "create_sequential_image_task": "sends the files in ascending order of their names, which is the order of the "
    "frames; the SDK sends them in whatever order the folder gives",
    "create_sequential_pcd_task": "as create_sequential_image_task",
    "create_multi_image_classification_task": "as create_sequential_image_task",
    "update_dataset": "leaves out a name that is not given; the SDK sends null for it",
    "execute_evaluation_job": "sends instance_type, batch_size and learning_rate when they are given; the SDK takes "
    "them and never sends them",
}
"""Requests."""

ORDER_OF_THE_FOLDER = {
    "create_sequential_image_task",
    "create_sequential_pcd_task",
    "create_multi_image_classification_task",
}
"""Listed above, but equal where the folder happens to give its files in order."""

RESULTS = {
    "import_lerobot": "the message of an episode that failed also says what to do; "
    "names, and links unless `follow_links=True`, cannot lead out of the dataset",
    "convert_coco_to_fastlabel": "a box stays a box: with annotation_type bbox the SDK reads the outline of any "
    "COCO file as a polygon; polygons come without the closing point twice",
    "convert_yolo_to_fastlabel": "outlines are closed, as FastLabel's segmentations are, and not rounded",
    "convert_pascalvoc_to_fastlabel": "reads the corners as the format counts them, from 1 and inclusive; the SDK "
    "takes the numbers as they are",
    "mask_to_fastlabel_segmentation_points": "rings start elsewhere and carry no points on straight lines",
}
"""Return values. Errors are compared by whether there is one: ours name the cause by a class of its own."""

FILES = {
    "export_coco": "has the info and licenses of the specification; keypoint categories and boxes of poses that "
    "pycocotools can read; frames of clips with the same name do not overwrite each other",
    "export_yolo": "classes.txt is in the order given, which the indexes follow (the SDK sorts the file and not the "
    "indexes); numbers are rounded, not cut; without segmentation polygons are boxes also with classes",
    "export_pascalvoc": "corners count from 1 and are inclusive, as in Pascal VOC; has folder, path, source, segmented",
    "export_labelme": "written as the current labelme 6 writes it",
    "export_instance_segmentation": "adds instances.jsonl: which index is which annotation; same pixels",
    "export_semantic_segmentation": "adds classes.json: which index is which class; same pixels",
}
"""Files written, compared by what they say: JSON as values, pictures as pixels."""

"""Arguments that cannot be meant are refused before a request, by a message that names them."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from airflow_provider_fastlabel.client import FastLabelClient, FastLabelInvalidException
from airflow_provider_fastlabel.client.kinds import KINDS

NAN, INFINITY = math.nan, math.inf


# The client itself ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "timeout", [0, -1, NAN, INFINITY, None, True, "5", (5, 0), (5,), (5, 5, 5), (NAN, 5), (None, 5)]
)
def test_a_timeout_that_is_none_is_refused(timeout):
    with pytest.raises(ValueError, match="timeout"):
        FastLabelClient("token", timeout=timeout)


@pytest.mark.parametrize("timeout", [0.5, 3, (1, 2.5)])
def test_timeouts(timeout):
    FastLabelClient("token", timeout=timeout)


@pytest.mark.parametrize("retries", [-1, 1.5, None, NAN, True, "5"])
def test_retries_are_a_whole_number(retries):
    with pytest.raises(ValueError, match="max_retries"):
        FastLabelClient("token", max_retries=retries)


@pytest.mark.parametrize("quota", [0, -5, 1.5, NAN, INFINITY, None, True, "10"])
def test_the_quota_is_a_whole_number(quota):
    with pytest.raises(ValueError, match="calls_per_10_minutes"):
        FastLabelClient("token", calls_per_10_minutes=quota)


# Texts where lists are meant, and lists of something else ------------------------------------------------------------

LISTS = [
    ("tag_ids", lambda c, v: c.delete_tags(v)),
    ("task_ids", lambda c, v: c.add_task_tags("p", v, ["t"])),
    ("tags", lambda c, v: c.add_task_tags("p", ["t"], v)),
    ("tags", lambda c, v: c.remove_task_tags("p", ["t"], v)),
    ("tags", lambda c, v: c.get_image_tasks("p", tags=v)),
    ("tags", lambda c, v: c.iter_video_tasks("p", tags=v)),
    ("tags", lambda c, v: c.count_tasks("p", tags=v)),
    ("tags", lambda c, v: c.update_task("t", tags=v)),
    ("tags", lambda c, v: c.create_robotics_task("p", "n", tags=v)),
    ("tags", lambda c, v: c.create_task_from_aws_s3("p", tags=v)),
    ("tags", lambda c, v: c.get_project_comments("p", tags=v)),
    ("tags", lambda c, v: c.get_appendix_data("p", tags=v)),
    ("tags", lambda c, v: c.get_datasets(tags=v)),
    ("tags", lambda c, v: c.create_dataset("d", tags=v)),
    ("tags", lambda c, v: c.update_dataset("d", tags=v)),
    ("tags", lambda c, v: c.get_dataset_objects("d", tags=v)),
    ("licenses", lambda c, v: c.get_dataset_objects("d", licenses=v)),
    ("types", lambda c, v: c.get_dataset_objects("d", types=v)),
    ("tags", lambda c, v: c.create_dataset_object("d", "n", __file__, tags=v)),
    ("licenses", lambda c, v: c.create_dataset_object("d", "n", __file__, licenses=v)),
    ("tags", lambda c, v: c.update_dataset_object("d", "n", tags=v)),
    ("licenses", lambda c, v: c.update_dataset_object("d", "n", licenses=v)),
]
ITEMS = [
    ("annotations", lambda c, v: c.update_image_task("t", annotations=v)),
    ("annotations", lambda c, v: c.update_robotics_task("t", annotations=v)),
    ("annotations", lambda c, v: c.create_integrated_image_task("p", "gcp", "a.png", annotations=v)),
    ("annotations", lambda c, v: c.create_dataset_object("d", "n", __file__, annotations=v)),
    ("annotations", lambda c, v: c.update_dataset_object("d", "n", annotations=v)),
    ("attributes", lambda c, v: c.update_text_classification_task("t", attributes=v)),
    ("relations", lambda c, v: c.update_image_task("t", relations=v)),
    ("metadatas", lambda c, v: c.update_task("t", metadatas=v)),
    ("attributes", lambda c, v: c.create_annotation("p", "bbox", "v", "t", attributes=v)),
    ("attributes", lambda c, v: c.update_annotation("a", attributes=v)),
    ("attributes", lambda c, v: c.create_classification_annotation("p", v)),
    ("attributes", lambda c, v: c.update_classification_annotation("a", v)),
    ("results", lambda c, v: c.create_model_monitoring_request_results("m", v)),
]


@pytest.mark.parametrize("value", ["abc", b"abc", {"a": 1}, 5])
@pytest.mark.parametrize(
    ("name", "call"), [*LISTS, *ITEMS, ("points", lambda c, v: c.create_task_comment("t", v, "x"))]
)
def test_what_is_no_list_is_refused(client, wire, name, call, value):
    with pytest.raises(FastLabelInvalidException, match=f"> {name} must be a list") as caught:
        call(client, value)
    assert caught.value.code == 422
    assert wire.sent == []


@pytest.mark.parametrize(("name", "call"), LISTS)
@pytest.mark.parametrize("item", [None, 5, "", ["a"]])
def test_items_that_are_no_text_are_named(client, wire, name, call, item):
    with pytest.raises(FastLabelInvalidException, match=rf"> {name}\[1\] must be a text"):
        call(client, ["train" if name == "types" else "a", item])
    assert wire.sent == []


@pytest.mark.parametrize(("name", "call"), ITEMS)
@pytest.mark.parametrize("item", [None, "a", [{}]])
def test_items_that_are_no_dictionaries_are_named(client, wire, name, call, item):
    with pytest.raises(FastLabelInvalidException, match=rf"> {name}\[1\] must be a dictionary"):
        call(client, [{"type": "bbox"}, item])
    assert wire.sent == []


@pytest.mark.parametrize("part", ["attributes", "keypoints"])
@pytest.mark.parametrize("value", [[None], {"a": 1}, "abc"])
def test_what_is_wrong_inside_an_annotation_is_named_by_its_place(client, wire, part, value):
    with pytest.raises(FastLabelInvalidException, match=rf"> annotations\[1\]\.{part}.* must be a") as caught:
        client.update_image_task("t", annotations=[{"type": "bbox"}, {"type": "bbox", part: value}])
    assert caught.value.code == 422


@pytest.mark.parametrize("tags", [("a", "b"), ["a", "b"], (tag for tag in "ab"), {"a": 1, "b": 2}.keys()])
def test_every_other_row_of_texts_is_a_list(client, wire, tags):
    wire.answer("PUT", "tasks/t", "t")
    client.update_task("t", tags=tags)
    assert wire.sent[0][3] == {"tags": ["a", "b"]}


@pytest.mark.parametrize(
    "call",
    [
        lambda c, none: c.update_image_task("t", annotations=none),
        lambda c, none: c.update_sequential_pcd_task("t", annotations=none),
        lambda c, none: c.update_image_classification_task("t", attributes=none),
        lambda c, none: c.update_task("t", tags=none),
        lambda c, none: c.create_integrated_image_task("p", "gcp", "a.png", annotations=none),
    ],
)
def test_an_iterator_over_nothing_is_as_good_as_an_empty_list(client, wire, call):
    """It is no reason to replace the annotations of a task by none."""
    wire.answer("PUT", "tasks/image/t", "t")
    wire.answer("PUT", "tasks/sequential-pcd/t", "t")
    wire.answer("PUT", "tasks/image/classification/t", "t")
    wire.answer("PUT", "tasks/t", "t")
    wire.answer("POST", "tasks/integrated-image", "t")
    call(client, [])
    call(client, iter(()))
    assert wire.sent[0] == wire.sent[1]


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("status", lambda c, v: c.get_image_tasks("p", status=v)),
        ("status", lambda c, v: c.iter_tasks("p", "video", status=v)),
        ("external_status", lambda c, v: c.count_tasks("p", external_status=v)),
        ("task_name", lambda c, v: c.get_text_tasks("p", task_name=v)),
        ("status", lambda c, v: c.get_project_comments("p", status=v)),
        ("task_name", lambda c, v: c.get_appendix_data("p", task_name=v)),
        ("task_name", lambda c, v: c.get_task_appendix_data("p", task_name=v)),
        ("status", lambda c, v: c.update_task("t", status=v)),
        ("custom_task_status", lambda c, v: c.update_image_task("t", custom_task_status=v)),
        ("status", lambda c, v: c.create_robotics_task("p", "n", status=v)),
        ("assignee", lambda c, v: c.update_task("t", assignee=v)),
        ("workflow_2_user", lambda c, v: c.update_task("t", workflow_2_user=v)),
        ("keyword", lambda c, v: c.get_tags("p", v)),
        ("slug", lambda c, v: c.get_projects(v)),
        ("value", lambda c, v: c.get_annotations("p", v)),
    ],
)
@pytest.mark.parametrize("value", [["approved", "completed"], {"a": 1}, 5, b"approved"])
def test_what_is_one_text_is_not_several(client, wire, name, call, value):
    """A list would go out as a key that comes twice, of which a server heeds one."""
    with pytest.raises(FastLabelInvalidException, match=f"> {name} must be a text") as caught:
        call(client, value)
    assert caught.value.code == 422
    assert wire.sent == []


# What must be given --------------------------------------------------------------------------------------------------


ZIP = Path(__file__).parent / "no-such.zip"


@pytest.mark.parametrize("nothing", [None, "", "  ", 5, b"p"])
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("project", lambda c, v: c.create_robotics_task(v, "n")),
        ("name", lambda c, v: c.create_robotics_task("p", v)),
        ("project", lambda c, v: c.create_text_task(v, "n", __file__)),
        ("project", lambda c, v: c.create_integrated_image_task(v, "gcp", "a.png")),
        ("project", lambda c, v: c.create_integrated_image_classification_task(v, "a.png", "gcp")),
        ("project", lambda c, v: c.create_annotation(v, "bbox", "v", "t")),
        ("value", lambda c, v: c.create_annotation("p", "bbox", v, "t")),
        ("project", lambda c, v: c.create_classification_annotation(v, [])),
        ("project", lambda c, v: c.create_task_from_aws_s3(v)),
        ("slug", lambda c, v: c.create_project("image_bbox", "n", v)),
        ("name", lambda c, v: c.create_dataset(v)),
        ("dataset", lambda c, v: c.create_dataset_object(v, "n", __file__)),
        ("name", lambda c, v: c.create_dataset_object("d", v, __file__)),
        ("project", lambda c, v: c.execute_auto_annotation_job(v, "m")),
        ("name", lambda c, v: c.create_model_monitoring_request_results(v, [])),
        ("project", lambda c, v: c.get_image_tasks(v)),
        ("project", lambda c, v: c.iter_image_tasks(v)),
        ("project", lambda c, v: c.find_image_task_by_name(v, "n")),
        ("task_name", lambda c, v: c.find_image_task_by_name("p", v)),
        ("slug", lambda c, v: c.find_project_by_slug(v)),
        ("value", lambda c, v: c.find_annotation_by_value("p", v)),
        ("project", lambda c, v: c.count_tasks(v)),
        ("project", lambda c, v: c.get_task_id_name_map(v)),
        ("project", lambda c, v: c.task_ids_by_name(v)),
        ("prefix", lambda c, v: c.find_integrated_image_task_by_prefix("p", v)),
        ("project", lambda c, v: c.get_annotations(v)),
        ("project", lambda c, v: c.get_tags(v)),
        ("project", lambda c, v: c.add_task_tags(v, ["t"], ["a"])),
        ("project", lambda c, v: c.get_histories(v)),
        ("project", lambda c, v: c.get_appendix_data(v)),
        ("project", lambda c, v: c.get_task_appendix_data(v)),
        ("project", lambda c, v: c.get_project_comments(v)),
        ("project", lambda c, v: c.get_auto_annotation_jobs(v)),
        ("project", lambda c, v: c.update_project_user_permission(v, "a@b.c", "owner")),
        ("dataset", lambda c, v: c.get_dataset_objects(v)),
        ("bucket_name", lambda c, v: c.update_aws_s3_storage("p", v, "eu-west-1")),
        ("bucket_region", lambda c, v: c.update_aws_s3_storage("p", "b", v)),
        ("storage_type", lambda c, v: c.create_integrated_image_task("p", v, "a.png")),
        ("storage_type", lambda c, v: c.create_integrated_image_classification_task("p", "a.png", v)),
        ("project_id", lambda c, v: c.copy_project(v)),
        ("task_id", lambda c, v: c.get_task_comments("p", v)),
        ("dataset_id", lambda c, v: c.update_dataset_object(v, "n")),
        ("object_name", lambda c, v: c.update_dataset_object("d", v)),
        ("dataset_name", lambda c, v: c.execute_training_job(v, "m", 1)),
        ("base_model_name", lambda c, v: c.execute_training_job("d", v, 1)),
        ("dataset_name", lambda c, v: c.execute_evaluation_job(v, "m")),
        ("model_name", lambda c, v: c.execute_evaluation_job("d", v)),
        ("model_name", lambda c, v: c.execute_auto_annotation_job("p", v)),
        ("endpoint_name", lambda c, v: c.execute_endpoint(v, "a.png")),
        ("name", lambda c, v: c.create_workspace_user(v, "a@b.c", "en", "member")),
        ("email", lambda c, v: c.create_workspace_user("n", v, "en", "member")),
        ("email", lambda c, v: c.update_workspace_user(v, "owner")),
        ("role", lambda c, v: c.update_workspace_user("a@b.c", v)),
        ("email", lambda c, v: c.delete_workspace_user(v)),
        ("email", lambda c, v: c.create_workspace_user_module_permissions(v, "dataset")),
        ("email", lambda c, v: c.delete_workspace_user_module_permissions(v, "dataset")),
        ("text", lambda c, v: c.update_task_comment("t", v)),
        ("project", lambda c, v: c.create_dicom_task(v, ZIP)),
        ("project", lambda c, v: c.import_appendix_file(v, ZIP)),
        ("project", lambda c, v: c.import_robotics_contents_file(v, ZIP)),
    ],
)
def test_what_must_be_given_is_named(client, wire, name, call, nothing):
    with pytest.raises(FastLabelInvalidException, match=f"> {name} must be") as caught:
        call(client, nothing)
    assert caught.value.code == 422
    assert wire.sent == []


@pytest.mark.parametrize("path", [None, 5, b"a.png", ["a.png"]])
@pytest.mark.parametrize(
    "call",
    [
        lambda c, v: c.create_text_task("p", "n", v),
        lambda c, v: c.create_image_classification_task("p", "n", v),
        lambda c, v: c.create_sequential_image_task("p", "n", v),
        lambda c, v: c.create_integrated_image_task("p", "gcp", v),
        lambda c, v: c.create_integrated_image_classification_task("p", v, "gcp"),
        lambda c, v: c.create_dicom_task("p", v),
        lambda c, v: c.create_dataset_object("d", "n", v),
        lambda c, v: c.import_appendix_file("p", v),
        lambda c, v: c.execute_endpoint("e", v),
        lambda c, v: c.execute_training_job("d", "m", 1, config_file_path=v or 0),
        lambda c, v: c.download_dataset_objects("d", v),
    ],
)
def test_what_is_no_path_is_named(client, wire, call, path):
    with pytest.raises(FastLabelInvalidException, match="> the path of a file or folder must be") as caught:
        call(client, path)
    assert caught.value.code == 422
    assert wire.sent == []


@pytest.mark.parametrize("value", ["abc", b"abc", [["a", "b"]], 5])
@pytest.mark.parametrize(
    "call",
    [
        lambda c, v: c.create_dataset_object("d", "n", __file__, custom_metadata=v),
        lambda c, v: c.update_dataset_object("d", "n", custom_metadata=v),
    ],
)
def test_what_is_no_dictionary_is_named(client, wire, call, value):
    with pytest.raises(FastLabelInvalidException, match="> custom_metadata must be a dictionary"):
        call(client, value)
    assert wire.sent == []


# Paging --------------------------------------------------------------------------------------------------------------

PAGED = [
    *(lambda c, kind=kind, **v: getattr(c, f"get_{kind}_tasks")("p", **v) for kind in KINDS),
    lambda c, **v: c.get_task_id_name_map("p", **v),
    lambda c, **v: c.get_histories("p", **v),
    lambda c, **v: c.get_annotations("p", **v),
    lambda c, **v: c.get_projects(**v),
    lambda c, **v: c.get_project_id_slug_map(**v),
    lambda c, **v: c.get_tags("p", **v),
    lambda c, **v: c.get_dataset_objects("d", **v),
    lambda c, **v: c.download_dataset_objects("d", "folder", **v),
    lambda c, **v: c.get_training_jobs(**v),
    lambda c, **v: c.get_evaluation_jobs(**v),
    lambda c, **v: c.get_auto_annotation_jobs("p", **v),
    lambda c, **v: c.get_metadatas("p", **v),
    lambda c, **v: c.get_appendix_data("p", **v),
    lambda c, **v: c.get_task_appendix_data("p", **v),
    lambda c, **v: c.get_task_comments("p", "t", **v),
    lambda c, **v: c.get_project_comments("p", **v),
    lambda c, **v: c.get_workspace_users(**v),
]


@pytest.mark.parametrize("call", PAGED)
@pytest.mark.parametrize("paging", [{"offset": -1}, {"limit": -1}, {"offset": 1.5}, {"limit": "10"}, {"offset": True}])
def test_paging_is_by_whole_numbers_from_zero(client, wire, call, paging):
    with pytest.raises(FastLabelInvalidException, match=f"> {next(iter(paging))} must be") as caught:
        call(client, **paging)
    assert caught.value.code == 422
    assert wire.sent == []

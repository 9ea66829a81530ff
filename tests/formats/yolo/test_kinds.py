"""What the rows of a YOLO set are: said by kpt_shape or task, else decided where one kind fits, else asked for."""

from __future__ import annotations

import pytest

POSE = "0 0.5 0.5 0.4 0.2 0.4 0.45 2 0.6 0.55 1"
BOX_OF_POSE = {"value": "dog", "points": [30, 80, 70, 120], "type": "bbox"}
KEYS = {"dog": ["nose", "tail"]}
POSE_OF_DOG = {
    "value": "dog",
    "type": "pose_estimation",
    "keypoints": [{"key": "nose", "value": [40, 90, 1]}, {"key": "tail", "value": [60, 110, 0]}],
}


def row(count):
    """A row with so many numbers: corners of a box, again and again."""
    corners = ["0.4", "0.4", "0.6", "0.4", "0.6", "0.6", "0.4", "0.6"] * 20
    return " ".join(["0", *corners[:count]])


@pytest.fixture
def yaml(data):
    """Name the classes in a data.yaml in the folder, with whatever else."""

    def yaml(more=""):
        data.classes = data.folder / "data.yaml"
        data.classes.write_text(f"names: [dog, cat]\n{more}")

    return yaml


@pytest.mark.parametrize("options", [{}, {"task": "pose"}, {"annotation_type": "pose_estimation"}])
def test_kpt_shape_says_that_rows_are_poses(data, yaml, options):
    yaml("kpt_shape: [2, 3]\n")
    data.image("a.jpg")
    data.label("a.txt", POSE)
    assert data.read(keypoints=KEYS, **options).by_image == {"a.jpg": [POSE_OF_DOG]}


@pytest.mark.parametrize("options", [{"task": "detect"}, {"annotation_type": "bbox"}])
def test_boxes_of_poses_are_their_first_four_numbers(data, yaml, options):
    yaml("kpt_shape: [2, 3]\n")
    data.image("a.jpg")
    data.label("a.txt", f"{POSE}\n0 0.5 0.5 0.4 0.2\n{POSE} 0 0\n")
    result = data.read(**options)
    assert result.by_image == {"a.jpg": [BOX_OF_POSE, BOX_OF_POSE]}
    assert [str(problem) for problem in result.problems] == ["a.txt:3: 8 keypoint values; kpt_shape says 2 times 3"]


@pytest.mark.parametrize(
    "options",
    [
        {"task": "segment"},
        {"task": "obb"},
        {"annotation_type": "polygon"},
        {"annotation_type": "segmentation"},
        {"task": "detect", "annotation_type": "polygon"},
        {"task": "pose", "annotation_type": "segmentation"},
    ],
)
def test_what_contradicts_kpt_shape_is_refused(data, yaml, options):
    yaml("kpt_shape: [2, 3]\n")
    data.image("a.jpg")
    data.label("a.txt", POSE)
    with pytest.raises(ValueError, match=r"data\.yaml.*'pose"):
        data.read(**options)


def test_the_yaml_in_the_folder_counts_where_another_file_names_the_classes(data):
    (data.folder / "data.yaml").write_text("names: [dog, cat]\nkpt_shape: [2, 3]\nkpt_names: {0: [nose, tail]}\n")
    data.image("a.jpg")
    data.label("a.txt", POSE)
    assert data.read().by_image == {"a.jpg": [POSE_OF_DOG]}
    assert data.read_alone(annotation_type="bbox").by_image == {"a.jpg": [BOX_OF_POSE]}


def test_keypoints_of_two_numbers_are_not_taken_for_three(data, yaml):
    yaml("kpt_shape: [3, 2]\n")
    data.image("a.jpg")
    data.label("a.txt", "0 0.5 0.5 0.2 0.2 0.1 0.1 1 1 0 0\n1 0.5 0.5 0.2 0.2 0.1 0.1 0 0 0 0\n")
    result = data.read(keypoints={"dog": ["a", "b", "c"], "cat": ["x", "y"]})
    (dog, cat) = result.by_image["a.jpg"]
    assert dog["keypoints"] == [{"key": "a", "value": [10, 20, 1]}, {"key": "b", "value": [100, 200, 1]}]
    assert cat["keypoints"] == [{"key": "x", "value": [10, 20, 1]}]
    assert result.problems == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (POSE, "6 keypoint values for 1 keypoint keys"),
        ("0 0.5 0.5 0.4 0.2 0.1 0.1 2", "3 keypoint values; kpt_shape says 2 times 3"),
        ("0 0.5 0.5 0.4 0.2 0.1 0.1 3 0 0 0", "visibility 3"),
        ("1 0.5 0.5 0.4 0.2 0.1 0.1 2 0 0 0", "no keypoint keys"),
    ],
)
def test_a_pose_that_does_not_fit_is_lost(data, yaml, text, why):
    yaml("kpt_shape: [2, 3]\n")
    data.image("a.jpg")
    data.label("a.txt", text)
    result = data.read(keypoints={"dog": ["nose"]})
    assert (result.by_image, result.read) == ({"a.jpg": []}, 1)
    assert why in result.problems[0].message


def test_further_keypoints_that_are_not_set_cost_nothing(data, yaml):
    yaml("kpt_shape: [2, 3]\n")
    data.image("a.jpg")
    data.label("a.txt", "0 0.5 0.5 0.4 0.2 0.4 0.45 2 0.6 0.55 0")
    assert data.read(keypoints={"dog": ["nose"]}).by_image["a.jpg"][0]["keypoints"] == POSE_OF_DOG["keypoints"][:1]


@pytest.mark.parametrize("shape", ["5", "[17, 4]", "[0, 3]", "[17]", "abc", "[a, 3]", "{17: 3}"])
def test_a_kpt_shape_that_is_none_is_refused(data, yaml, shape):
    yaml(f"kpt_shape: {shape}\n")
    with pytest.raises(ValueError, match=r"data\.yaml: kpt_shape is the number of keypoints"):
        data.read()


SEGMENT, OBB, POSES = "outlines (task='segment')", "turned boxes (task='obb')", "poses (task='pose')"


@pytest.mark.parametrize(
    ("counts", "described", "kind"),
    [
        # What one kind fits.
        ([4], False, "bbox"),
        ([4, 5], False, "bbox"),
        ([4, 6], False, "segmentation"),
        ([4, 8], False, "segmentation"),
        ([6, 8], False, "segmentation"),
        ([5, 6, 14], False, "segmentation"),
        ([9], False, "turned"),
        ([9, 9], True, "turned"),
        ([7], False, "pose_estimation"),
        ([13, 13], False, "pose_estimation"),
        ([55], False, "pose_estimation"),
        ([6], True, "segmentation"),
        ([12, 12], True, "segmentation"),
        ([8, 10], True, "segmentation"),
        # What several fit.
        ([6], False, [SEGMENT, POSES]),
        ([8], False, [SEGMENT, OBB, POSES]),
        ([8, 8], True, [SEGMENT, OBB]),
        ([8, 9], True, [SEGMENT, OBB]),
        ([10], False, [SEGMENT, POSES]),
        ([12, 12, 12], False, [SEGMENT, POSES]),
        ([38, 37], False, [SEGMENT, POSES]),  # keypoints of which a row lost one
        ([55, 54], False, [SEGMENT, POSES]),
    ],
)
def test_the_length_of_rows_decides_or_the_caller(data, yaml, counts, described, kind):
    if described:
        yaml()
    for number, count in enumerate(counts):
        data.image(f"{number}.jpg")
        data.label(f"{number}.txt", row(count))
    if isinstance(kind, list):
        with pytest.raises(ValueError, match="Say with task= which they are") as caught:
            data.read()
        assert f"may be {' or '.join(kind)}." in str(caught.value)
        assert ("only with kpt_shape are they poses" in str(caught.value)) is not described
        assert str(max(counts) + 1) in str(caught.value)
        return
    if kind == "pose_estimation":
        # No keypoint has a name, so each row is lost, as a pose.
        result = data.read()
        assert {problem.message.partition(";")[0] for problem in result.problems} == {"the class has no keypoint keys"}
        assert result.read == len(counts)
        return
    result = data.read()
    assert result.problems == []
    types = {found["type"] for rows in result.by_image.values() for found in rows}
    assert types == {"bbox" if kind == "turned" else kind}
    assert result.objects.total() == len(counts)


@pytest.mark.parametrize("count", [11, 7, 13])
def test_a_damaged_row_among_others_does_not_decide(data, count):
    data.image("a.jpg")
    data.label("a.txt", f"{row(4)}\n{row(count)}\n")
    result = data.read()
    assert [found["type"] for found in result.by_image["a.jpg"]] == ["bbox"]
    assert [(problem.line, problem.lost) for problem in result.problems] == [(2, 1)]
    data.label("a.txt", f"{row(6)}\n{row(count)}\n{row(8)}\nx y\n0 nan 1 1 1\n")
    result = data.read()
    assert [found["type"] for found in result.by_image["a.jpg"]] == ["segmentation"] * 2
    assert [(problem.line, problem.lost) for problem in result.problems] == [(2, 1), (4, 1), (5, 1)]


def test_what_is_wanted_decides_only_where_it_makes_no_difference(data, yaml):
    yaml()
    data.image("a.jpg")
    data.label("a.txt", row(8))
    (found,) = data.read(annotation_type="polygon").by_image["a.jpg"]
    assert found["points"] == [40, 80, 60, 80, 60, 120, 40, 120]
    with pytest.raises(ValueError, match="Say with task="):  # upright or turned?
        data.read(annotation_type="bbox")
    data.label("a.txt", row(4))
    with pytest.raises(ValueError, match=r"rows are boxes \(by their length\)"):
        data.read(annotation_type="pose_estimation")
    data.label("a.txt", "")
    assert data.read(annotation_type="pose_estimation").by_image == {"a.jpg": []}


def test_who_names_keypoints_says_that_rows_are_poses(data):
    data.image("a.jpg")
    data.label("a.txt", "0 0.5 0.5 0.4 0.2 0.4 0.45 0.6 0.55")
    for options in ({}, {"annotation_type": "pose_estimation"}, {"task": "pose"}):
        (found,) = data.read(keypoints=KEYS, **options).by_image["a.jpg"]
        assert found["keypoints"] == [{"key": "nose", "value": [40, 90, 1]}, {"key": "tail", "value": [60, 110, 1]}]
    assert data.read(task="pose", annotation_type="bbox").by_image == {"a.jpg": [BOX_OF_POSE]}


def test_a_pose_is_a_box_only_if_it_can_be_a_pose(data):
    data.image("a.jpg")
    data.label("a.txt", f"{row(9)}\n{POSE}\n")
    result = data.read(task="pose", annotation_type="bbox")
    assert result.by_image == {"a.jpg": [BOX_OF_POSE]}
    assert [problem.message for problem in result.problems] == ["5 keypoint values; a keypoint has two or three"]


@pytest.mark.parametrize("task", ["detect", "segment"])
@pytest.mark.parametrize("keypoints", [1, 2, 17])
def test_poses_that_are_said_to_be_something_else_are_refused(data, task, keypoints):
    for number in range(3):
        data.image(f"{number}.jpg")
        data.label(f"{number}.txt", "0 0.5 0.5 0.4 0.2" + " 0.4 0.45 1 0.4 0.45 0" * keypoints)
    with pytest.raises(ValueError, match="look like poses"):
        data.read(task=task)
    (data.folder / "data.yaml").write_text("names: [dog]\n")  # says that they are not
    if keypoints == 2:
        assert data.read(task=task).read == 3


@pytest.mark.parametrize("task", ["detect", "segment"])
def test_an_outline_that_only_could_be_a_pose_is_what_the_caller_says(data, task):
    data.image("a.jpg")
    data.label("a.txt", f"0 0.5 0.5 0.4 0.2 0.4 0.45 1 0.4 0.45 0\n{row(12)}\n{row(4)}\n")
    assert len(data.read(task=task).by_image["a.jpg"]) == 3


def test_outlines_around_the_whole_image_are_no_poses(data):
    data.image("a.jpg")
    data.label("a.txt", "0 0 0 1 0 1 1 0 1 0 0")
    (found,) = data.read(task="segment", annotation_type="polygon").by_image["a.jpg"]
    assert found["points"] == [0, 0, 100, 0, 100, 200, 0, 200]


def test_a_turned_box_stays_turned_as_a_box_and_has_corners_as_an_outline(data):
    data.image("a.jpg", size=(100, 100))
    data.label("a.txt", "0 0.5 0.1 0.9 0.5 0.5 0.9 0.1 0.5 0.25")
    for options in ({}, {"task": "obb"}, {"annotation_type": "bbox"}):
        (found,) = data.read(**options).by_image["a.jpg"]
        assert found["points"] == pytest.approx([21.715729, 21.715729, 78.284271, 78.284271])
        assert (found["rotation"], found["confidenceScore"]) == (45, 0.25)
    (found,) = data.read(task="obb", annotation_type="polygon").by_image["a.jpg"]
    assert (found["points"], found["confidenceScore"]) == ([50, 10, 90, 50, 50, 90, 10, 50], 0.25)


def test_boxes_become_outlines_where_these_are_wanted(data):
    data.image("a.jpg")
    data.label("a.txt", row(4).replace("0.4 0.4 0.6 0.4", "0.5 0.5 0.2 0.1"))
    for options in ({"annotation_type": "polygon"}, {"task": "detect", "annotation_type": "polygon"}):
        (found,) = data.read(**options).by_image["a.jpg"]
        assert (found["type"], found["points"]) == ("polygon", [40, 90, 60, 90, 60, 110, 40, 110])

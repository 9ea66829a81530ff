"""A list of checks is read whole or refused whole, with every slip named."""

from __future__ import annotations

import pytest

from airflow_provider_fastlabel.pipelines.checks import run
from airflow_provider_fastlabel.pipelines.checks.definition import (
    CHECKS,
    MOST_BYTES,
    InvalidChecksError,
    parse_checks,
    read_checks,
)


def test_each_check_has_its_arguments_with_their_defaults():
    assert [(c.name, c.severity, c.arguments) for c in read_checks([
        {"check": "tiny_boxes"},
        {"check": "tiny_boxes", "pixels": 2.5, "at_most": 0.01, "severity": "warn"},
        {"check": "objects_per_class", "at_least": 50, "classes": ["cat"]},
    ])] == [
        ("tiny_boxes", "fail", {"pixels": 4, "at_most": 0}),
        ("tiny_boxes", "warn", {"pixels": 2.5, "at_most": 0.01}),
        ("objects_per_class", "fail", {"at_least": 50, "classes": ["cat"]}),
    ]  # fmt: skip


def test_every_check_that_is_known_is_done():
    assert run._DO.keys() == CHECKS.keys()


def test_a_file_says_the_same_as_a_list():
    text = b"\xef\xbb\xbf- {check: class_balance, at_most: 20}\n- check: split_leak\n  severity: warn\n"
    listed = [{"check": "class_balance", "at_most": 20}, {"check": "split_leak", "severity": "warn"}]
    assert parse_checks(text, "checks.yaml") == read_checks(listed)
    assert parse_checks(b'[{"check": "split_leak"}]', "checks.json") == read_checks([{"check": "split_leak"}])


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"check": "tiny_box"}, r"checks\[1\]\.check must be one of approved, .*, not 'tiny_box'"),
        ({}, r"checks\[1\]\.check must be one of .*, not None"),
        ({"check": ["tiny_boxes"]}, r"checks\[1\]\.check must be one of"),
        ("tiny_boxes", r"checks\[1\] must be a dictionary such as"),
        ({"check": "tiny_boxes", "at_most": -0.1}, r"\(tiny_boxes\): at_most must be a share from 0 to 1, not -0\.1"),
        ({"check": "tiny_boxes", "at_most": 5}, "at_most must be a share from 0 to 1, not 5"),
        ({"check": "tiny_boxes", "at_most": True}, "at_most must be a share"),
        ({"check": "tiny_boxes", "at_most": float("nan")}, "at_most must be a share"),
        ({"check": "tiny_boxes", "at_most": "0.1"}, "at_most must be a share from 0 to 1, not '0.1'"),
        ({"check": "tiny_boxes", "pixels": 0}, "pixels must be a number above 0"),
        ({"check": "tiny_boxes", "size": 3}, "'size' is no argument of this check, which takes pixels, at_most"),
        ({"check": "tiny_boxes", "severity": "error"}, "severity must be fail or warn, not 'error'"),
        ({"check": "objects_per_class"}, "at_least is missing; it is a whole number of 1 or more"),
        ({"check": "objects_per_class", "at_least": 1.5}, "at_least must be a whole number"),
        ({"check": "objects_per_class", "at_least": 10**400}, None),
        ({"check": "objects_per_class", "at_least": 1, "classes": "cat"}, "classes must be a list of class values"),
        ({"check": "objects_per_class", "at_least": 1, "classes": []}, "classes must be a list of class values"),
        ({"check": "class_balance", "at_most": 0.5}, "at_most must be a number of 1 or more"),
        ({"check": "class_balance", "at_most": 10**400}, "at_most must be a number of 1 or more"),
        ({"check": "class_drift", "required": "yes"}, "required must be true or false"),
        ({"check": "overlapping_boxes", "iou": 1}, "iou must be a share between 0 and 1"),
        ({"check": "split_leak", "at_most": 0.5}, "at_most must be a whole number of 0 or more"),
        ({"check": "agreement", "measure": "pi"}, "measure must be alpha or kappa"),
        ({"check": "agreement", "measure": {}}, "measure must be alpha or kappa"),
        ({"check": "sample_size"}, "margin is missing; it is a share between 0 and 1"),
        ({"check": "sample_size", "margin": 0}, "margin must be a share between 0 and 1"),
        ({"check": "\x1b[31m"}, r"not '\\\\x1b\[31m'|not '\\x1b"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(entry, said):
    good = {"check": "split_leak"}
    if said is None:
        read_checks([good, entry])
        return
    with pytest.raises(InvalidChecksError, match=said) as refused:
        read_checks([good, entry])
    assert "Nothing was read" in str(refused.value)
    assert "\x1b" not in str(refused.value)


def test_every_slip_is_named_at_once():
    with pytest.raises(InvalidChecksError) as refused:
        read_checks([{"check": "tiny_boxes", "at_most": 2, "pixels": -1}, {"check": "x"}, {"check": "sample_size"}])
    assert str(refused.value).count("  - ") == 4


@pytest.mark.parametrize("raw", [None, [], {}, "split_leak", 3, {"check": "split_leak"}, b"x"])
def test_what_is_no_list_of_checks_is_refused(raw):
    with pytest.raises(InvalidChecksError, match="must be a list of one check or more"):
        read_checks(raw)


def test_there_is_an_end_to_a_list():
    with pytest.raises(InvalidChecksError, match="201 checks, and 200 are the most"):
        read_checks([{"check": "split_leak"}] * 201)


def test_files_that_are_none_are_refused():
    bomb = b"a: &a [x, x]\n" + b"".join(
        b"%c: &%c [%s]\n" % (n, n, b",".join([b"*%c" % (n - 1)] * 9)) for n in b"bcdefgh"
    )
    for data, said in (
        (bomb, "aliases repeat more than"),
        (b"- {check: [", "not usable YAML"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        (b" " * (MOST_BYTES + 1), "has more than 1,000,000 bytes"),
        (b"", "must be a list"),
    ):
        with pytest.raises(InvalidChecksError, match=said):
            parse_checks(data, "checks.yaml")

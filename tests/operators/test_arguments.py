"""No argument of an operator or a sensor is true, or left out of account, by accident."""

from __future__ import annotations

import inspect
from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk import DAG, task

from airflow_provider_fastlabel import operators, sensors
from airflow_provider_fastlabel.operators.base import FastLabelBaseOperator
from airflow_provider_fastlabel.sensors.base import FastLabelSensor
from tests.airflow_run import AirflowRun

CLASSES = [
    *(getattr(operators, name) for name in operators.__all__),
    *(getattr(sensors, name) for name in sensors.__all__),
]

NEEDED: dict[str, Any] = {
    "project": "photos", "folder": "in", "annotations_format": "coco", "output": "out",
    "definition": {}, "source_project": "a",
    "target_project": "b", "name": "n", "results_path": "r.json", "endpoint_name": "e", "dataset_name": "d",
    "base_model_name": "m", "model_name": "m", "epoch": 1, "history_id": "h", "job_id": "j", "kind": "training",
    "status": "approved",
    "before": "set", "after": "set", "dataset": "set", "checks": [{"check": "split_leak"}],
    "python_callable": lambda each: None,
    "prelabels": {"v1": "a.json"}, "task_ids": ["t"], "bucket_name": "b", "bucket_region": "r", "chunk": {}, "plan": [],
}  # fmt: skip
"""A value for every argument that some class must have."""


def own_arguments(cls):
    """Return the arguments that our classes name, by name, of a class and its bases."""
    found: dict[str, inspect.Parameter] = {}
    for base in cls.__mro__:
        if base.__module__.startswith("airflow_provider_fastlabel.") and "__init__" in base.__dict__:
            parameters = inspect.signature(base.__init__).parameters
            found |= {name: p for name, p in parameters.items() if p.kind is p.KEYWORD_ONLY and name not in found}
    return found


def make(cls, **arguments):
    """Make an operator or a sensor with as little else as it needs."""
    given = {name: NEEDED[name] for name, p in own_arguments(cls).items() if p.default is p.empty}
    if "project" in own_arguments(cls):
        given["project"] = "photos"
    if issubclass(cls, operators.FastLabelUpdateTasksOperator):
        given |= {"task_ids": ["t"], "status": "approved"}
    if issubclass(cls, operators.FastLabelPushMonitoringResultsOperator):
        given["results_path"] = "r.json"
    return cls(task_id="t", **{**given, **arguments})


def is_template(cls, name):
    return cls.renamed.get(name, name) in cls.template_fields


def pairs(choose):
    return [
        pytest.param(cls, name, id=f"{cls.__name__}-{name}")
        for cls in CLASSES
        for name, parameter in own_arguments(cls).items()
        if choose(cls, name, str(parameter.annotation))
    ]


LONG = pytest.param(10**5000, id="long")
UNTEMPLATED = pairs(lambda cls, name, annotation: not is_template(cls, name))
NUMBERS = pairs(lambda cls, name, annotation: name in cls.numbers)


def test_the_walk_meets_what_it_should():
    assert len(CLASSES) > 20
    assert len(UNTEMPLATED) > 60
    assert len(NUMBERS) > 20


@pytest.mark.parametrize(("cls", "name"), UNTEMPLATED)
@pytest.mark.parametrize("text", ["{{ params.x }}", "{% if params.x %}1{% endif %}"])
def test_a_template_where_nothing_renders_it_is_refused(cls, name, text):
    with pytest.raises(ValueError, match=f"{name} must be .* no template field"):
        make(cls, **{name: text})


@pytest.mark.parametrize(("cls", "name"), UNTEMPLATED)
def test_an_xcom_where_nothing_resolves_it_is_refused(cls, name):
    @task
    def upstream():
        return False

    with DAG("dag", schedule=None), pytest.raises(ValueError, match=f"{name} must be .* no template field"):
        make(cls, **{name: upstream()})


@pytest.mark.parametrize(("cls", "name"), pairs(lambda cls, name, annotation: annotation.startswith("bool")))
@pytest.mark.parametrize("wrong", ["False", "", 0, 1, []])
def test_only_true_and_false_are_true_or_false(cls, name, wrong):
    with pytest.raises(ValueError, match=f"{name} must be True or False"):
        make(cls, **{name: wrong})


@pytest.mark.parametrize(
    ("cls", "name"),
    pairs(
        lambda cls, name, annotation: (
            name in ("annotations_format", "attributes", "on_exists") and not is_template(cls, name)
        )
    ),
)
@pytest.mark.parametrize("wrong", ["COCO", "", ["coco"], 1])
def test_only_the_words_of_a_choice_are_taken(cls, name, wrong):
    with pytest.raises(ValueError, match=rf"{name} must be one of '\w+', '.* not "):
        make(cls, **{name: wrong})


def test_every_number_is_declared_one():
    """A number that is neither declared nor a span of time would be compared as text, or fail somewhere deep."""
    undeclared = {
        (cls.__name__, name)
        for cls in CLASSES
        for name, parameter in own_arguments(cls).items()
        if {"int", "float"} & set(str(parameter.annotation).replace("[", " ").replace("]", " ").split(" "))
        and name not in cls.numbers
        and "timedelta" not in str(parameter.annotation)
    }
    # The ids of a mask's pixels belong to the readers of the data set, as its splits do: they are no run's business.
    assert undeclared == {("FastLabelExportMasksOperator", "start_index"), ("FastLabelExportYoloOperator", "splits")}


def test_every_declared_number_is_an_argument_and_a_template():
    for cls in CLASSES:
        assert set(cls.numbers) <= own_arguments(cls).keys()
        assert all(is_template(cls, name) for name in cls.numbers)


def test_rendered_templates_show_the_names_that_the_author_wrote():
    """All but one: on an operator, `output` is Airflow's own, so a template cannot stand there."""
    for cls in CLASSES:
        hidden = set(cls.template_fields) - own_arguments(cls).keys()
        assert hidden <= {"output_path"}, cls
        assert cls.renamed == ({"output": "output_path"} if hidden else {})


def good_number(cls, name):
    number = cls.numbers[name]
    return number.choices[-1] if number.choices else (1 if number.whole else 0.5)


@pytest.mark.parametrize(("cls", "name"), NUMBERS)
@pytest.mark.parametrize("wrong", ["many", "", "None", " ", "nan", -1, True, [3], "1e999", 10**400, LONG])
def test_what_is_no_such_number_is_refused_when_the_dag_is_parsed(cls, name, wrong):
    with pytest.raises(ValueError, match=f"{name} must be "):
        make(cls, **{name: wrong})


@pytest.mark.parametrize(("cls", "name"), NUMBERS)
def test_a_number_may_be_a_template_and_is_a_number_afterwards(cls, name):
    good = good_number(cls, name)
    made = make(cls, **{name: f"{{{{ {good} }}}}"})
    made.render_template_fields({})
    made.check_rendered()
    assert getattr(made, name) == good
    assert isinstance(getattr(made, name), int | float)


@pytest.mark.parametrize(("cls", "name"), NUMBERS)
@pytest.mark.parametrize("wrong", ["{{ none }}", "{{ '' }}", "{{ 'many' }}", "{{ -1 }}"])
def test_a_number_that_rendered_wrongly_fails_for_good_and_is_named(monkeypatch, connect, cls, name, wrong):
    connect(host="http://127.0.0.1:9/v1/", max_retries=0)
    done = AirflowRun(monkeypatch, lambda: make(cls, **{name: wrong})).attempt(retries_left=True)
    assert done.state == "failed"
    assert f"{name} must be " in str(done.error)


def test_a_number_may_be_an_xcom(airflow_run, client, fill):
    ids = fill("a.png")

    @task
    def upstream():
        return 30

    def build():
        arguments: dict[str, Any] = {"project": "photos", "task_ids": list(ids.values()), "priority": upstream()}
        return operators.FastLabelUpdateTasksOperator(task_id="u", **arguments)

    run = airflow_run(build)
    run.supervisor.upstream["upstream"] = 30
    assert run.attempt().state == "success"
    assert client.find_image_task_by_name("photos", "a.png")["priority"] == 30


@pytest.mark.parametrize("cls", [c for c in CLASSES if "poll_interval" in own_arguments(c)])
@pytest.mark.parametrize("wrong", [10**400, LONG, 1e300, timedelta.max, float("inf"), float("nan"), 0, -1])
def test_a_span_of_time_that_no_clock_measures_is_refused_by_its_name(cls, wrong):
    with pytest.raises(ValueError, match=r"poll_interval must be a positive number of seconds .{1,160}$"):
        make(cls, poll_interval=wrong)


@pytest.mark.parametrize("cls", [c for c in CLASSES if "poll_interval" in own_arguments(c)])
@pytest.mark.parametrize("wrong", [1e300, timedelta.max, float("inf"), float("nan"), -1])
@pytest.mark.parametrize("defaults", [False, True])
def test_a_timeout_that_no_clock_measures_is_refused_by_its_name(cls, wrong, defaults):
    given = {"default_args": {"timeout": wrong}} if defaults else {"timeout": wrong}
    with pytest.raises(ValueError, match=r"timeout must be a positive number of seconds .{1,160}$"):
        make(cls, **given)


@pytest.mark.parametrize("cls", [c for c in CLASSES if "poll_interval" in own_arguments(c)])
def test_a_span_of_time_may_be_a_timedelta(cls):
    made = make(cls, poll_interval=timedelta(minutes=1), timeout=timedelta(hours=2))
    assert getattr(made, "poke_interval", None) == 60 or made.poll_interval == 60
    assert made.timeout == 7200


@pytest.mark.parametrize("cls", [c for c in CLASSES if "poll_interval" in own_arguments(c)])
@pytest.mark.parametrize("wrong", ["60", 0, -1, True, timedelta(0), float("inf"), float("nan")])
def test_a_span_of_time_is_above_nothing(cls, wrong):
    with pytest.raises(ValueError, match="poll_interval must be "):
        make(cls, poll_interval=wrong)


def test_references_deep_in_an_argument_are_found():
    with DAG("dag", schedule=None):

        @task
        def upstream():
            return 0.5

        with pytest.raises(ValueError, match="splits must be a dictionary or None.* no template field"):
            make(operators.FastLabelExportYoloOperator, layout="ultralytics", splits={"train": upstream(), "val": 0.5})


def test_a_mapped_operator_refuses_it_when_it_is_made(airflow_run, client):
    mapped = operators.FastLabelExportCocoOperator.partial(task_id="e", project="photos", allow_empty="{{ 'False' }}")
    with pytest.raises(ValueError, match="allow_empty must be True or False"):
        mapped.expand(output=["out"]).unmap({"output": "out"})


def test_classes_of_others_check_their_arguments_themselves():
    class Own(FastLabelBaseOperator):
        def __init__(self, *, pattern: str, limit: Any = None, **kwargs: Any) -> None:
            super().__init__(**kwargs)

    Own(task_id="own", pattern="{{ this is no template to us }}", limit="{{ 1 }}")


def test_all_operators_and_sensors_are_of_the_kind_that_checks():
    assert all(issubclass(cls, FastLabelBaseOperator | FastLabelSensor) for cls in CLASSES)

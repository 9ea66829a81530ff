"""The arguments that say who works on tasks: one person, or several who share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.operators.base import FastLabelBaseOperator
from airflow_provider_fastlabel.utils.arguments import require_rendered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_fastlabel.pipelines.running.people import People

    Given = str | Sequence[str] | Mapping[str, Any] | None

PEOPLE = ("assignee", "reviewer", "approver", "external_assignee", "external_reviewer", "external_approver")
"""The arguments, which are FastLabel's roles too."""


class PeopleArguments(FastLabelBaseOperator):
    """Base of the operators that give tasks to people.

    People are named by their slugs. Each of the arguments takes

    - one slug: all tasks go to that person;
    - a list of slugs: they share the tasks evenly;
    - slugs with whole numbers, ``{"anna": 2, "ben": 1}``: they share them in this proportion;
    - patterns of task names with slugs, ``{"day1/**": "anna", "**": "ben"}``: the first that matches decides; a task
      that none matches fails.

    Shares go by the task's name and by nothing else, so that a retry, another run and another operator give the same
    task to the same person, and adding a person takes from each of the others only that person's share. They come out
    even on the average: of 1000 tasks for two, each gets 500, give or take some thirty. Of several who review or
    approve, a task goes to one who has not labelled it, where there is one.

    :param assignee: who labels. Templated.
    :param reviewer: who reviews. Templated.
    :param approver: who approves. Templated.
    :param external_assignee: who labels outside of the workspace. Templated.
    :param external_reviewer: who reviews outside of it. Templated.
    :param external_approver: who approves outside of it. Templated.
    """

    template_fields: Sequence[str] = (*FastLabelBaseOperator.template_fields, *PEOPLE)

    # Only those that are given are set on a task: Airflow makes each costly where the DAG is parsed.
    assignee: Given = None
    reviewer: Given = None
    approver: Given = None
    external_assignee: Given = None
    external_reviewer: Given = None
    external_approver: Given = None

    def __init__(
        self,
        *,
        assignee: str | Sequence[str] | Mapping[str, Any] | None = None,
        reviewer: str | Sequence[str] | Mapping[str, Any] | None = None,
        approver: str | Sequence[str] | Mapping[str, Any] | None = None,
        external_assignee: str | Sequence[str] | Mapping[str, Any] | None = None,
        external_reviewer: str | Sequence[str] | Mapping[str, Any] | None = None,
        external_approver: str | Sequence[str] | Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        given = (assignee, reviewer, approver, external_assignee, external_reviewer, external_approver)
        for name, value in zip(PEOPLE, given, strict=True):
            if value is not None:
                setattr(self, name, value)

    def given_people(self) -> dict[str, Any]:
        """Return the arguments that were given, by name."""
        return {name: value for name in PEOPLE if (value := getattr(self, name)) is not None}

    def people(self) -> People:
        """Return who works on which task, as the arguments rendered.

        :raises FastLabelInvalidException: one rendered to nothing, or to what names no people.
        """
        from airflow_provider_fastlabel.pipelines.running.people import People

        for name, value in self.given_people().items():
            require_rendered(name, value, "Nothing was changed.")
        return People(self.given_people())

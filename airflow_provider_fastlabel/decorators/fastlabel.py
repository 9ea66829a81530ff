"""``@task.fastlabel``: a Python function decides on each task of a selection."""

from __future__ import annotations

import functools
from collections.abc import Callable  # noqa: TC003 (arguments are checked by it)
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import DecoratedOperator, task_decorator_factory

from airflow_provider_fastlabel.operators.decide import FastLabelDecideTasksOperator
from airflow_provider_fastlabel.utils.arguments import refused
from airflow_provider_fastlabel.utils.functions import first_parameter, without_first

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context
    from airflow.sdk.bases.decorator import TaskDecorator


class FastLabelDecoratedOperator(DecoratedOperator, FastLabelDecideTasksOperator):
    """The operator of ``@task.fastlabel``; takes what :class:`FastLabelDecideTasksOperator` takes.

    :param python_callable: the decorated function.
    :param op_args: what it was called with in the DAG; the task comes before.
    :param op_kwargs: the same, by name.
    """

    template_fields: Sequence[str] = FastLabelDecideTasksOperator.template_fields
    template_fields_renderers: ClassVar[dict[str, str]] = FastLabelDecideTasksOperator.template_fields_renderers
    custom_operator_name: str = "@task.fastlabel"

    def __init__(self, *, python_callable: Callable[..., Any], op_args: Any, op_kwargs: Any, **kwargs: Any) -> None:
        if first_parameter(python_callable) is None:
            raise refused("A function of @task.fastlabel must take the task as its first argument; it takes none.")

        @functools.wraps(python_callable)
        def called_in_the_dag(*args: Any, **kwargs: Any) -> None:
            """Stand for the function while Airflow checks with what it was called."""

        called_in_the_dag.__signature__ = without_first(python_callable)  # type: ignore[attr-defined]
        kwargs.pop("multiple_outputs", None)
        super().__init__(
            python_callable=called_in_the_dag,
            op_args=op_args,
            op_kwargs=op_kwargs,
            kwargs_to_upstream={"python_callable": python_callable, "op_args": op_args, "op_kwargs": op_kwargs},
            **kwargs,
        )

    def execute(self, context: Context) -> dict[str, Any]:
        """Ask about the chosen tasks and do what is decided; see :class:`FastLabelDecideTasksOperator`."""
        return FastLabelDecideTasksOperator.execute(self, context)


def fastlabel_task(python_callable: Callable[..., Any] | None = None, **kwargs: Any) -> TaskDecorator:
    """Make a task of a function that decides on each FastLabel task: ``@task.fastlabel(project=..., ...)``.

    :param python_callable: the function; it gets a task and returns what is to become of it, see
        :class:`~airflow_provider_fastlabel.operators.decide.FastLabelDecideTasksOperator`.
    :param kwargs: arguments of that operator.
    """
    return task_decorator_factory(
        python_callable=python_callable,
        multiple_outputs=False,
        decorated_operator_class=FastLabelDecoratedOperator,
        **kwargs,
    )

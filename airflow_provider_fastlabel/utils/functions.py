"""Functions of a DAG author, and the arguments they take."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def first_parameter(function: Callable[..., Any]) -> str | None:
    """Return the name of the first parameter that takes a value by its place; ``None`` if there is none.

    :param function: the function.
    """
    first = next(iter(inspect.signature(function).parameters.values()), None)
    if first is None or first.kind not in (*_POSITIONAL, inspect.Parameter.VAR_POSITIONAL):
        return None
    return first.name


def without_first(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of what is left to give when the first argument is given.

    :param function: the function.
    """
    signature = inspect.signature(function)
    first, *rest = signature.parameters.values()
    return signature.replace(parameters=[first, *rest] if first.kind is inspect.Parameter.VAR_POSITIONAL else rest)


def with_arguments(
    function: Callable[..., Any], op_args: Collection[Any], op_kwargs: Mapping[str, Any], context: Mapping[str, Any]
) -> Callable[[Any], Any]:
    """Return a function of one argument, the first; the others are given as Airflow's own operators give them.

    :param function: the function.
    :param op_args: positional arguments after the first.
    :param op_kwargs: keyword arguments.
    :param context: what arguments of the same name get that are not given; all of it if there is ``**kwargs``.
    """
    parameters = without_first(function).parameters
    by_place = [name for name, each in parameters.items() if each.kind in _POSITIONAL][: len(op_args)]
    takes_all = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values())
    taken = {first_parameter(function), *by_place}
    from_context = {
        name: value for name, value in context.items() if (takes_all or name in parameters) and name not in taken
    }
    kwargs = {**from_context, **op_kwargs}
    return lambda value: function(value, *op_args, **kwargs)

"""Refuses arguments of operators and sensors that cannot be meant: when the DAG is parsed, or when they rendered."""

from __future__ import annotations

import collections.abc
import functools
import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow.sdk import XComArg
from airflow.sdk.definitions.param import DagParam

from airflow_provider_fastlabel.utils.arguments import one_flag, refused
from airflow_provider_fastlabel.utils.inherited_docs import inherit_parameters

if TYPE_CHECKING:
    from airflow_provider_fastlabel.utils.numbers import Number

OURS = f"{__name__.partition('.')[0]}."
"""Classes of other packages that extend ours check their arguments themselves."""

_NAMES = {"Any": Any, "Literal": Literal, "Mapping": Mapping, "Sequence": Sequence, "timedelta": timedelta}
_WORDS = {bool: "True or False", int: "a whole number", float: "a number", str: "a text", type(None): "None"}
_CLASS_WORDS = {Callable: "a function", Mapping: "a dictionary", Sequence: "a list", timedelta: "a timedelta"}


class CheckedArguments:
    """Base of operators and sensors whose arguments are checked by what their signature says.

    Every argument is of one of these sorts, and the tests walk over all:

    - it is a template field and a number, an entry of :attr:`numbers`: its value is checked when the DAG is parsed, and
      what a template makes of it by :meth:`check_rendered`, which puts the number in its place;
    - it is a template field and true or false, one of :attr:`flags`: the same;
    - it is another template field: whoever uses it checks what it rendered to;
    - it is no template field: Airflow would take a template or an XCom as it stands, true whatever it says. Both are
      refused when the DAG is parsed, and so is a value that is not of the annotated type.
    """

    numbers: ClassVar[Mapping[str, Number]] = {}
    """What the arguments that are numbers must be, by name."""

    flags: ClassVar[Sequence[str]] = ()
    """The arguments that are true or false, and templated."""

    renamed: ClassVar[Mapping[str, str]] = {}
    """Arguments whose attribute, and so their template field, has another name."""

    template_fields: Sequence[str] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__module__.startswith(OURS):
            inherit_parameters(cls, OURS)
        if "__init__" in cls.__dict__ and cls.__module__.startswith(OURS):
            cls.__init__ = _checked(cls.__dict__["__init__"])  # type: ignore[method-assign]

    def check_rendered(self) -> None:
        """Put the numbers and the flags into the place of what their templates rendered to.

        :raises FastLabelInvalidException: one is not the number that it must be, or neither true nor false.
        """
        for name in self.flags:
            setattr(self, name, one_flag(name, getattr(self, name)))
        for name, number in self.numbers.items():
            setattr(self, name, number.read(name, getattr(self, name)))


def _checked(init: Any) -> Any:
    """Return an ``__init__`` that first checks the arguments it names itself."""
    names = {name for name, argument in inspect.signature(init).parameters.items() if argument.kind is _KEYWORD}

    @functools.wraps(init)
    def checking(self: CheckedArguments, **kwargs: Any) -> None:
        for name in kwargs:
            if name not in names:
                continue
            if name in self.numbers:
                _check_number(name, kwargs[name], self.numbers[name])
            elif name in self.flags:
                if not _is_reference(kwargs[name]):
                    _check_untemplated(name, kwargs[name], bool)
            elif self.renamed.get(name, name) not in self.template_fields:
                _check_untemplated(name, kwargs[name], _type_of(init, name))
        init(self, **kwargs)

    return checking


_KEYWORD = inspect.Parameter.KEYWORD_ONLY


def _check_number(name: str, value: Any, number: Number) -> None:
    """Check a number that no template stands for yet."""
    if not _is_reference(value):
        number.read(name, value)


def _check_untemplated(name: str, value: Any, wanted: Any) -> None:
    """Refuse a template, an XCom, and what is not of the type."""
    reference = holds_reference(value)
    if not reference and _fits(value, wanted):
        return
    message = f"{name} must be {_words(wanted)}, not {value!r}"
    if reference:
        message += "; it is no template field, so Airflow would take the template or the XCom as it stands"
    raise refused(f"{message}.")


def _is_reference(value: Any) -> bool:
    """Tell whether Airflow would put something else in the place of a value, if it is a template field."""
    if isinstance(value, str):
        return "{{" in value or "{%" in value
    return isinstance(value, XComArg | DagParam)


def holds_reference(value: Any) -> bool:
    """Tell whether a template or an XCom is anywhere in a value.

    :param value: of an argument.
    """
    if _is_reference(value):
        return True
    if isinstance(value, Mapping):
        return any(map(holds_reference, value.values()))
    return isinstance(value, Sequence | Set) and not isinstance(value, str | bytes) and any(map(holds_reference, value))


def _type_of(init: Any, name: str) -> Any:
    """Return the annotated type of an argument, all names of which the module of the class must have at run time."""
    return eval(init.__annotations__[name], init.__globals__, _NAMES)


def _parts(wanted: Any) -> Sequence[Any]:
    """Return the types of which a value must have one."""
    union = isinstance(wanted, types.UnionType) or typing.get_origin(wanted) is typing.Union
    return typing.get_args(wanted) if union else (wanted,)


def _fits(value: Any, wanted: Any) -> bool:
    """Tell whether a value is of a type."""
    return any(_fits_one(value, part) for part in _parts(wanted))


def _fits_one(value: Any, wanted: Any) -> bool:
    if wanted is Any:
        return True
    origin = typing.get_origin(wanted) or wanted
    if origin is Literal:
        return isinstance(value, str) and value in typing.get_args(wanted)
    if isinstance(value, bool) and origin is not bool:
        return False
    if origin is float:
        return isinstance(value, int | float)
    if origin is collections.abc.Sequence and isinstance(value, str):
        return False
    return value is None if origin is None else isinstance(value, origin)


def _words(wanted: Any) -> str:
    """Return a type as people say it."""
    return " or ".join(_words_of_one(part) for part in _parts(wanted) if part is not Any) or "a value"


def _words_of_one(wanted: Any) -> str:
    origin = typing.get_origin(wanted) or wanted
    if origin is Literal:
        return "one of " + ", ".join(map(repr, typing.get_args(wanted)))
    return _WORDS.get(origin) or _CLASS_WORDS.get(origin) or str(getattr(origin, "__name__", origin))

"""Who works on which task: by the task's name alone, so that a retry deals nothing anew."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.pipelines.files.globs import Glob
from airflow_provider_fastlabel.words import shortened

LARGEST_SHARE = 1_000_000

_FORMS = (
    "a slug, a list of slugs, slugs with whole numbers such as {'anna': 2, 'ben': 1}, or patterns of task names with "
    "slugs such as {'day1/**': 'anna', '**': 'ben'}"
)


class People:
    """Gives each task its people.

    :param given: role, such as ``assignee`` -> a slug; a list of slugs; slugs with their shares; or patterns of task
        names with slugs.
    :raises FastLabelInvalidException: a value is none of these; the message names the role.
    """

    def __init__(self, given: Mapping[str, Any] | None = None) -> None:
        self._shares: dict[str, dict[str, int]] = {}
        self._patterns: dict[str, list[tuple[Glob, str]]] = {}
        for role, value in (given or {}).items():
            if isinstance(value, Mapping) and value and all(isinstance(slug, str) for slug in value.values()):
                self._patterns[role] = [(Glob(_text(role, glob)), _slug(role, slug)) for glob, slug in value.items()]
            else:
                self._shares[role] = _shares(role, value)

    def __bool__(self) -> bool:
        return bool(self._shares or self._patterns)

    @property
    def by_name(self) -> bool:
        """Whether a task's name decides, so that it must be known."""
        return bool(self._patterns) or any(len(shares) > 1 for shares in self._shares.values())

    def of(self, name: str) -> dict[str, str]:
        """Return the people of a task, by role.

        :param name: the task's name.
        :raises FastLabelInvalidException: patterns were given, and none matches.
        """
        people: dict[str, str] = {}
        for role, patterns in self._patterns.items():
            slug = next((slug for glob, slug in patterns if glob.matches(name)), None)
            if slug is None:
                raise FastLabelInvalidException(
                    f"no pattern of {role} matches the task's name, so nobody would get it; add '**' as the last one",
                    422,
                )
            people[role] = slug
        for role in sorted(self._shares, key=_steps):
            busy = {slug for other, slug in people.items() if _side(other) == _side(role)}
            free = {slug: share for slug, share in self._shares[role].items() if slug not in busy}
            people[role] = _dealt(role, name, free or self._shares[role])
        return people


def _steps(role: str) -> tuple[bool, int]:
    """Sort roles as the work goes."""
    return role.startswith("external_"), ("assignee", "reviewer", "approver").index(role.removeprefix("external_"))


def _side(role: str) -> bool:
    return role.startswith("external_")


def _dealt(role: str, name: str, shares: Mapping[str, int]) -> str:
    """Return whose a task is: rendezvous hashing, which moves the fewest tasks when people come and go."""

    def distance(slug: str) -> tuple[float, str]:
        text = "\0".join((role, slug, name)).encode(errors="surrogatepass")
        number = int.from_bytes(hashlib.sha256(text).digest()[:8])
        return -math.log((number + 1) / (2**64 + 1)) / shares[slug], slug

    return min(shares, key=distance)


def _shares(role: str, value: Any) -> dict[str, int]:
    if isinstance(value, str):
        return {_slug(role, value): 1}
    if isinstance(value, Mapping):
        for slug, share in value.items():
            if type(share) is not int or not 0 < share <= LARGEST_SHARE:
                raise _refused(role, f"the share of {shortened(slug)} is {shortened(share)}, not a whole number from 1")
        shares = {_slug(role, slug): share for slug, share in value.items()}
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        slugs = [_slug(role, slug) for slug in value]
        if len(set(slugs)) < len(slugs):
            raise _refused(role, "it names somebody twice; say shares with whole numbers")
        shares = dict.fromkeys(slugs, 1)
    else:
        raise _refused(role, f"it is {shortened(value)}")
    if not shares:
        raise _refused(role, "it names nobody")
    return shares


def _text(role: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or value == "None":
        raise _refused(role, f"it holds {shortened(value)}")
    return value


def _slug(role: str, value: Any) -> str:
    text = _text(role, value)
    if text[0] in "[{" or "," in text or text != text.strip():
        raise _refused(role, f"{shortened(text)} is no slug of one person (a template must render natively)")
    return text


def _refused(role: str, why: str) -> FastLabelInvalidException:
    return FastLabelInvalidException(f"{role} cannot be used: {why}. Give {_FORMS}. Nothing was changed.", 422)

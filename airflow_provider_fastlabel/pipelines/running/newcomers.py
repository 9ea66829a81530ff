"""Tells imports and jobs that have appeared since a moment from those that were there, by the times FastLabel states.

A time that cannot be read says nothing. What bears such a one counts as new, unless its id is known from before: to
take it for old would be to start twice what has begun, or to miss that another has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Found = Mapping[str, Any]


def created(found: Found) -> float | None:
    """Return when an import or a job was created, as seconds since 1970; a time without an offset is UTC.

    :param found: the object, as FastLabel lists it.
    :returns: the time; ``None`` where FastLabel states none that can be read.
    """
    return moment(found.get("createdAt"))


def moment(text: object) -> float | None:
    """Return a time that FastLabel states as seconds since 1970, ``None`` where it cannot be read.

    :param text: the time, as FastLabel writes it.
    """
    from airflow_provider_fastlabel.client.http.retry import timestamp

    return timestamp(text)


def newest(found: Iterable[Found]) -> Found | None:
    """Return the one that was created last; one without a readable time counts as the oldest.

    :param found: the objects.
    """
    return max(found, key=_age_order, default=None)


def _age_order(found: Found) -> float:
    at = created(found)
    return float("-inf") if at is None else at


@dataclass(frozen=True)
class Before:
    """What was there at a moment, in values of JSON.

    :param newest: when the newest of them was created, as FastLabel writes it; empty if there was none.
    :param undated: ids of those whose time cannot be read.
    """

    newest: str = ""
    undated: Sequence[str] = field(default_factory=list)

    @staticmethod
    def of(found: Iterable[Found], identity: str = "id") -> Before:
        """Return it for what is there now.

        :param found: the objects.
        :param identity: field that holds the id.
        """
        return Before().including(found, identity)

    @staticmethod
    def kept(memory: Mapping[str, Any]) -> Before:
        """Return what :meth:`values` gave; also as releases have kept it that knew no ``undated``.

        :param memory: the values.
        """
        return Before(memory["newest_before"], memory.get("undated_before") or [])

    def values(self) -> dict[str, Any]:
        """Return it as values to be remembered."""
        return {"newest_before": self.newest, "undated_before": list(self.undated)}

    def including(self, found: Iterable[Found], identity: str = "id") -> Before:
        """Return the same with more objects.

        :param found: the objects.
        :param identity: field that holds the id.
        """
        dated = [{"createdAt": self.newest}] if self.newest else []
        undated = list(self.undated)
        for each in found:
            if created(each) is None:
                undated.append(str(each.get(identity)))
            else:
                dated.append({"createdAt": str(each["createdAt"])})
        last = newest(dated)
        return Before(last["createdAt"] if last else "", undated)

    def newcomers(self, found: Iterable[Found], identity: str = "id") -> list[Found]:
        """Return those that have appeared since, or may have.

        :param found: what is there now.
        :param identity: field that holds the id.
        """
        known, since = set(self.undated), moment(self.newest)
        return [
            each
            for each in found
            if (str(each.get(identity)) not in known if (at := created(each)) is None else since is None or at > since)
        ]

"""What checks found, for a log, an XCom, and a person who decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.markdown_text import markdown_table, markdown_text
from airflow_provider_fastlabel.pipelines.files.problems import SHOWN_OF_ONE, enumerate_problems
from airflow_provider_fastlabel.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_provider_fastlabel.pipelines.checks.definition import Severity

MOST_EXAMPLES = 10
"""Items that a result names."""
MOST_FAILURES = 50
"""Failed checks that an XCom describes; the log has all."""
_LONGEST_EXAMPLE = 160
_LONGEST_CELL = 300
_ROWS, _EXAMPLES_SHOWN = 20, 5
_HEAD = ("result", "check", "expected", "actual")


class Outcome(NamedTuple):
    """What a check found.

    :param passed: whether the data set is as the check wants it.
    :param expected: what it wants, in words.
    :param actual: what is, in words.
    :param examples: what is amiss, named; the worst first.
    """

    passed: bool
    expected: str
    actual: str
    examples: Iterable[str] = ()


@dataclass(frozen=True)
class Result:
    """What became of a check. All texts are of one line, and show what cannot be printed.

    :param assertion: the check's name.
    :param expected: what it wants, in words.
    :param actual: what is, in words.
    :param severity: whether the data set fails by it, or it only warns.
    :param passed: whether the data set is as the check wants it.
    :param examples: at most :data:`MOST_EXAMPLES` items that are amiss.
    """

    assertion: str
    expected: str
    actual: str
    severity: Severity
    passed: bool
    examples: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, severity: Severity, outcome: Outcome) -> Result:
        """Return the result of a check.

        :param name: of the check.
        :param severity: its severity.
        :param outcome: what it found.
        """
        examples: list[str] = []
        if not outcome.passed:
            for example in outcome.examples:
                examples.append(foreign_text(example, _LONGEST_EXAMPLE))
                if len(examples) == MOST_EXAMPLES:
                    break
        expected, actual = (foreign_text(text, _LONGEST_CELL) for text in (outcome.expected, outcome.actual))
        return cls(name, expected, actual, severity, outcome.passed, tuple(examples))

    @property
    def state(self) -> str:
        """``passed``, ``failed`` or ``warned``."""
        return "passed" if self.passed else {"fail": "failed", "warn": "warned"}[self.severity]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON types."""
        return {
            "assertion": self.assertion,
            "expected": self.expected,
            "actual": self.actual,
            "severity": self.severity,
            "passed": self.passed,
            "examples": list(self.examples),
        }


class ChecksFailedError(FastLabelInvalidException):
    """A data set is not as its checks want it. It stays where it is."""


@dataclass(frozen=True)
class Checked:
    """What the checks of a list found.

    :param results: of each check, in the order of the list.
    """

    results: Sequence[Result] = field(default=())

    @property
    def passed(self) -> bool:
        """Whether no check failed that is more than a warning."""
        return not any(result.state == "failed" for result in self.results)

    def counts(self) -> dict[str, int]:
        """Return how many checks there are, and how many passed, failed and warned."""
        states = [result.state for result in self.results]
        return {"checks": len(states)} | {state: states.count(state) for state in ("passed", "failed", "warned")}

    def to_dict(self) -> dict[str, Any]:
        """Return what is small enough for an XCom: the counts, and the checks that did not pass.

        :returns: ``passed``, ``counts``, ``failures``; and ``failures_more`` where there are more than
            :data:`MOST_FAILURES`.
        """
        failures = [result.to_dict() for result in self._worst_first() if not result.passed]
        more = len(failures) - MOST_FAILURES
        return {
            "passed": self.passed,
            "counts": self.counts(),
            "failures": failures[:MOST_FAILURES],
            **({"failures_more": more} if more > 0 else {}),
        }

    def refuse_failed(self, place: str) -> None:
        """Refuse a data set that failed.

        :param place: where it is, for the message.
        :raises ChecksFailedError: a check failed that is more than a warning; naming each such, with its examples.
        """
        failed = [result for result in self.results if result.state == "failed"]
        if not failed:
            return
        told = [
            f"{each.assertion}: {each.actual}, and expected was {each.expected}"
            + (f" ({'; '.join(each.examples[:_EXAMPLES_SHOWN])})" if each.examples else "")
            for each in failed
        ]
        raise ChecksFailedError(
            f"{place} failed {len(failed)} of {counted(len(self.results), 'check')}. It stays as it is. "
            f"Mend the labels in FastLabel and export it again, or change the checks.\n"
            f"{enumerate_problems(told, SHOWN_OF_ONE)}"
        )

    def summary(self) -> str:
        """Say in a few words how it ended."""
        counts = self.counts()
        return ", ".join(f"{counts[state]} {state}" for state in ("passed", "failed", "warned") if counts[state])

    def table(self) -> str:
        """Return the results as a table of plain text, with the examples below the rows they belong to."""
        from rich.cells import cell_len, set_cell_size  # a Japanese character is two columns wide

        rows = [_HEAD, *((each.state, each.assertion, each.expected, each.actual) for each in self.results)]
        widths = [max(cell_len(row[at]) for row in rows) for at in range(len(_HEAD) - 1)]
        lines = []
        for row, examples in zip(rows, [(), *(each.examples for each in self.results)], strict=True):
            cells = [set_cell_size(cell, width) for cell, width in zip(row, widths, strict=False)]
            lines.append("  ".join([*cells, row[-1]]))
            lines += [f"    - {example}" for example in examples]
        return "\n".join(lines)

    def markdown(self) -> str:
        """Return a short body of Markdown for somebody who decides, what did not pass first."""
        ordered = self._worst_first()
        head = f"**{'Good enough' if self.passed else 'Not good enough'}**: {self.summary()}."
        rows = [
            [f"**{each.state}**" if not each.passed else each.state]
            + [markdown_text(text) for text in (each.assertion, each.expected, each.actual)]
            for each in ordered[:_ROWS]
        ]
        parts = [head, markdown_table(list(_HEAD), rows)]
        if len(ordered) > _ROWS:
            parts.append(f"and {len(ordered) - _ROWS} more checks: see the log of the task.")
        named = [
            f"- {markdown_text(each.assertion)}: " + ", ".join(map(markdown_text, each.examples[:_EXAMPLES_SHOWN]))
            for each in ordered[:_ROWS]
            if each.examples
        ]
        if named:
            parts.append("\n".join(named))
        return "\n\n".join(parts) + "\n"

    def _worst_first(self) -> list[Result]:
        order = ("failed", "warned", "passed")
        return sorted(self.results, key=lambda result: order.index(result.state))

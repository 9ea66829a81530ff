"""Prints the size card of the package: ``python -m tests.card``; ``tests/test_card.py`` holds it to its limits."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "airflow_provider_fastlabel"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Card:
    """Sizes in lines, blank ones and docstrings included; a function's with its signature, without decorators.

    :param modules: path -> lines.
    :param functions: path and name -> lines, methods and inner functions too.
    :param bare: modules, public classes, and public functions and methods without a docstring.
    :param unannotated: functions with a parameter or result that has no type.
    :param tests: lines of the tests.
    """

    modules: dict[str, int] = field(default_factory=dict)
    functions: dict[str, int] = field(default_factory=dict)
    bare: list[str] = field(default_factory=list)
    unannotated: list[str] = field(default_factory=list)
    tests: int = 0

    def fullest_folder(self) -> tuple[str, int]:
        """Return the folder with most modules, and how many they are."""
        return Counter(str(Path(path).parent) for path in self.modules).most_common(1)[0]

    def p90(self) -> float:
        """Return the length that nine of ten functions do not exceed."""
        return quantiles(self.functions.values(), n=10)[-1]


def measure() -> Card:
    """Read the package and the tests."""
    card = Card()
    for path in sorted(PACKAGE.rglob("*.py")):
        own, text = path.relative_to(PACKAGE).as_posix(), path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        card.modules[own] = len(text.splitlines())
        if not ast.get_docstring(tree):
            card.bare.append(own)
        _look(card, tree, own, public=True)
    for folder in ("tests", "tests_sdk"):
        card.tests += sum(len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / folder).rglob("*.py"))
    return card


def _look(card: Card, parent: ast.AST, where: str, *, public: bool) -> None:
    """Note the functions and classes in a module, class or function."""
    for node in ast.iter_child_nodes(parent):
        if not isinstance(node, Function | ast.ClassDef):
            _look(card, node, where, public=public)
            continue
        name = f"{where}:{node.name}" if ":" not in where else f"{where}.{node.name}"
        seen = public and not node.name.startswith("_")
        if seen and not ast.get_docstring(node) and not _is_repeated(node):
            card.bare.append(name)
        if isinstance(node, Function):
            card.functions[name] = (node.end_lineno or node.lineno) - node.lineno + 1
            if not _is_annotated(node, method=isinstance(parent, ast.ClassDef)):
                card.unannotated.append(name)
        _look(card, node, name, public=seen and isinstance(node, ast.ClassDef))


def _is_repeated(node: Function | ast.ClassDef) -> bool:
    """Tell overloads and the setters of properties, which are described elsewhere."""
    return any(
        (isinstance(each, ast.Name) and each.id == "overload")
        or (isinstance(each, ast.Attribute) and each.attr == "setter")
        for each in node.decorator_list
    )


def _is_annotated(node: Function, *, method: bool) -> bool:
    args = [*node.args.posonlyargs, *node.args.args]
    bound = method and not any(isinstance(each, ast.Name) and each.id == "staticmethod" for each in node.decorator_list)
    args = [*args[bound:], *node.args.kwonlyargs, *filter(None, (node.args.vararg, node.args.kwarg))]
    return all(each.annotation for each in args) and node.returns is not None


def main() -> None:
    """Print the card."""
    card = measure()
    lines, largest = sorted(card.modules.values()), max(card.modules, key=card.modules.__getitem__)
    longest = max(card.functions, key=card.functions.__getitem__)
    sizes, (folder, most) = card.functions.values(), card.fullest_folder()
    documented = 1 - len(card.bare) / (len(card.modules) + len(sizes))
    print(f"modules: {len(lines)}, {sum(lines)} lines; median {median(lines):.0f}, largest {lines[-1]} ({largest})")
    print(
        f"functions: {len(sizes)}; median {median(sizes):.0f}, p90 {card.p90():.0f}, "
        f"longest {card.functions[longest]} ({longest})"
    )
    print(f"documented {documented:.1%}, annotated {1 - len(card.unannotated) / len(sizes):.1%}")
    print(f"fullest folder: {folder} with {most} modules; tests to source {card.tests / sum(lines):.2f}")
    for name in sorted([*card.bare, *card.unannotated]):
        print(f"  lacking: {name}")


if __name__ == "__main__":
    main()

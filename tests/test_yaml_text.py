"""YAML of strangers: what is taken, and what is refused with its line."""

from __future__ import annotations

import pytest

from airflow_provider_fastlabel.yaml_text import UnusableYamlError, read_yaml
from tests.limits import run_limited

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGED = "a: &a {x: 1}\n" + "".join(
    f"{name}: &{name} {{<<: [{','.join([f'*{before}'] * 9)}]}}\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{number}: &a{number} [*a{number - 1}]\n" for number in range(1, 1000))


def test_words_are_typed_or_left_as_they_are_written():
    text = "a: &a {no: 1.0, b: [null, 2024-01-01]}\nc: *a\n"
    read = read_yaml(text, "x.yaml", as_written=True)
    assert read == {"a": {"no": "1.0", "b": ["null", "2024-01-01"]}, "c": {"no": "1.0", "b": ["null", "2024-01-01"]}}
    assert read_yaml(text, "x.yaml")["c"][False] == 1
    assert read_yaml("a: &a {x: 1, y: 1}\nb: {<<: *a, y: 2}", "x.yaml")["b"] == {"x": 1, "y": 2}
    assert read_yaml("", "x.yaml") is None


def test_what_people_write_stays_below_the_bounds():
    names = "".join(f"  {number}: a class of ImageNet\n" for number in range(21_841))
    assert len(read_yaml(f"names:\n{names}", "data.yaml", as_written=True)["names"]) == 21_841
    shared = "colours: &colours\n" + "".join(f"- {{value: c{number}}}\n" for number in range(9))
    classes = "".join(f"- {{value: v{number}, options: *colours}}\n" for number in range(300))
    assert len(read_yaml(f"{shared}classes:\n{classes}", "project.yaml")["classes"]) == 300


@pytest.mark.parametrize("as_written", [False, True])
@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        (BOMB, 5, "repeat more than 10,000 values"),
        (MERGED, 5, "repeat more than 10,000 values"),
        (CHAIN, 50, "more than 50 levels deep"),
        ("b: 1\na: " + "[" * 1000 + "]" * 1000, 2, "more than 50 levels deep"),
        ("{" * 100_000, 1, "more than 50 levels deep"),
        ("- " * 100_000, 1, "more than 50 levels deep"),
        ("\n".join(" " * depth + "a:" for depth in range(900)), 51, "more than 50 levels deep"),
        ("[" + "a," * 100_000 + "]", 1, "more than 100,000 values"),
        ("a: 1\nb: &b [*b]", 2, "stands inside of what it repeats"),
        ("a: *b\nb: &b 1", 1, "repeats what is not there before it"),
        ("a: &a 1\nb: &a 2", 2, "&a is there twice"),
        ("a: 1\n? [a, b]\n: c", 2, "a key is a list or a mapping"),
        ("{a: 1, {b: 2}: c}", 1, "a key is a list or a mapping"),
        ("a: !own 1", 1, "'!own' is not known"),
        ("!!python/object/apply:os.system [ls]", 1, "os.system' is not known"),
        ("a: !!binary abc", 1, "'!!binary' is not known"),
        ("a: 1\n---\nb: 2", 2, "expected a single document"),
        ("a\nb: [", 2, "mapping values are not allowed"),
        ("a: [\n", 2, "while parsing a flow"),
        ("a: 1\nb: \x00", 2, "0x0000 has no place"),
        ("a: \ud800", 1, "0xd800 has no place"),
        ('a: "\\U00110000"', None, "stands for no character"),
        ("x" * 1_000_001, None, "1,000,001 characters"),
        (f"a: !{'t' * 100_000} 1", 1, "is not known"),
        (f"a: *{'t' * 100_000}", 1, "the alias *ttt"),
    ],
)
def test_what_is_too_much_or_no_value_is_refused_with_its_line(text, line, why, as_written):
    with pytest.raises(UnusableYamlError) as caught:
        read_yaml(text, "data.yaml", as_written=as_written)
    place = "data.yaml" if line is None else f"data.yaml:{line}"
    assert str(caught.value).startswith(f"{place}: not usable YAML: ")
    assert why in str(caught.value)
    assert caught.value.line == line
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (".inf: a", "the key .inf is no finite number"),
        ("-.inf: a", "the key -.inf is no finite number"),
        (".nan: a", "the key .nan is no finite number"),
        ("1.0e+999: a", "the key 1.0e+999 is no finite number"),
        ("a: 2026-13-45", "'2026-13-45' is no date"),
        ("a: 2026-01-01 99:00:00", "is no date"),
        ("a: 2001-02-03T10:00:00+99:99", "is no date"),
        ("a: 0x_", "'0x_' is no int"),
        ("a: !!int abc", "'abc' is no int"),
        ("a: !!float abc", "'abc' is no float"),
        ("a: !!bool maybe", "'maybe' is no bool"),
        ("a: !!timestamp abc", "'abc' is no date"),
        ("a: !!str [a]", "expected a scalar node"),
        (f"a: {'9' * 5000}", "a number of 5,000 characters"),
        (f"a: 0x{'f' * 50_000}", "a number of 50,002 characters"),
        (f"a: 1{':01' * 20_000}", "a number of 60,001 characters"),
        ("b: {<<: 1}", "for merging"),
    ],
)
def test_a_word_that_looks_like_something_and_is_none_is_refused_with_its_line(text, why):
    with pytest.raises(UnusableYamlError) as caught:
        read_yaml(f"first: 1\n{text}", "project.yaml")
    assert why in str(caught.value)
    assert str(caught.value).startswith("project.yaml:2: ")
    read_yaml(f"first: 1\n{text}", "project.yaml", as_written=True)


@pytest.mark.parametrize(
    "text",
    [
        "BOMB",
        "MERGED",
        "CHAIN",
        "'[' * 900_000",
        "'a: ' * 300_000",
        "'[' + '[],' * 49_000 + ']'",
        "''.join(f'- &a{n} a\\n' for n in range(49_000))",
    ],
)
def test_a_small_file_costs_little(text):
    run_limited(
        f"""
        from airflow_provider_fastlabel.yaml_text import UnusableYamlError, read_yaml
        from tests.test_yaml_text import BOMB, CHAIN, MERGED
        try:
            repr(read_yaml({text}, "data.yaml"))
        except UnusableYamlError as error:
            print(error)
        """,
        megabytes=250,
    )

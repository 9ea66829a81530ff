"""The package stays a house of small rooms: its size card, see ``tests/card.py``."""

from __future__ import annotations

from statistics import median

import pytest

from tests.card import Card, measure


@pytest.fixture(scope="module")
def card() -> Card:
    return measure()


def test_modules_fit_a_sitting(card: Card) -> None:
    assert median(card.modules.values()) <= 150
    assert {path: lines for path, lines in card.modules.items() if lines > 400} == {}


def test_functions_fit_a_screen(card: Card) -> None:
    assert card.p90() <= 30
    assert {name: lines for name, lines in card.functions.items() if lines > 60} == {}


def test_no_folder_is_a_warehouse(card: Card) -> None:
    folder, modules = card.fullest_folder()
    assert modules <= 18, folder


def test_everything_public_is_described_and_everything_has_its_type(card: Card) -> None:
    assert card.bare == []
    assert card.unannotated == []

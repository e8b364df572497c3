"""The language of a text."""

from __future__ import annotations

import pytest

from pyapp.tasks.summarise.spoken import language_of


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "The queen lays up to two thousand eggs a day in summer, and she can live for five years."),
        ("es", "La planta consume mucha electricidad, y el ayuntamiento estudia instalar paneles solares."),
        ("fr", "La reine pond jusqu'à deux mille œufs par jour en été, et elle peut vivre cinq ans dans la ruche."),
        ("de", "Die Königin legt im Sommer bis zu zweitausend Eier am Tag und sie kann fünf Jahre mit dem Volk leben."),
        (
            "it",
            "La regina depone fino a duemila uova al giorno d'estate e non è più sola nel suo alveare, che è di tutti.",
        ),
        (
            "pt",
            "A rainha põe até dois mil ovos por dia no verão e não é só uma abelha: ela tem uma colmeia ao seu lado.",
        ),
        ("", "太陽は星です。地球は惑星です。"),
        ("", "zzz qqq xxx"),
        ("", ""),
    ],
)
def test_it_is_told_by_its_small_words(code: str, text: str) -> None:
    assert language_of(text) == code

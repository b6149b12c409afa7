from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from planner.domain.names import NameRegister, Names


def test_names_are_found_without_regard_to_letter_case() -> None:
    names = Names(["Db1", "web", "STRASSE"])
    assert [names.find(text) for text in ("db1", "WEB", "straße", "x")] == [0, 1, 2, -1]
    assert names.find("") == -1


def test_names_are_a_sequence_in_their_own_spelling() -> None:
    names = Names(name for name in ("b", "A"))
    assert list(names) == ["b", "A"]
    assert len(names) == 2
    assert names[0] == "b"
    assert names[1:] == ("A",)
    assert "A" in names


def test_names_become_an_array_of_texts() -> None:
    array = Names(["a", "bb"]).array()
    assert array.dtype == object
    assert array.tolist() == ["a", "bb"]
    assert Names().array().shape == (0,)


def test_a_register_gives_new_names_the_next_number_and_keeps_the_first_spelling() -> None:
    register = NameRegister(["Db1"])
    assert [register.number(text) for text in ("db1", "Web", "WEB", "DB1")] == [0, 1, 1, 0]
    assert len(register) == 2
    assert register.names()[:] == ("Db1", "Web")
    assert register.names(1)[:] == ("Web",)


def test_of_equal_names_the_first_is_found() -> None:
    register = NameRegister(["a", "A", "b"])
    assert register.number("A") == 0
    assert register.number("B") == 2


@given(st.lists(st.text(max_size=3), max_size=20))
def test_numbers_are_places_among_the_names(texts: list[str]) -> None:
    register = NameRegister()
    numbers = [register.number(text) for text in texts]
    names = register.names()
    assert len(names) == len(register) == len({text.casefold() for text in texts})
    assert [names.find(text) for text in texts] == numbers
    assert all(
        names[number].casefold() == text.casefold()
        for number, text in zip(numbers, texts, strict=True)
    )

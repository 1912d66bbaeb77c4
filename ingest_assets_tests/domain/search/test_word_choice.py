from math import prod

from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.search.word_choice import RANKED_ROWS, Word, WordChoice, choose_words

WORDS = st.lists(
    st.builds(Word, st.text("abcdefgh", min_size=1), st.booleans(), st.floats(0, 1)),
    unique_by=lambda word: word.lexeme,
)
ROWS = st.integers(0, 10_000_000)


def word(lexeme: str, frequency: float, *, common: bool = False) -> Word:
    return Word(lexeme, common, frequency)


def test_few_chunks_are_all_ranked_that_have_any_word() -> None:
    chosen = choose_words([word("windscreen", 0.8), word("repair", 0.9)], 1000)
    assert chosen == WordChoice(("windscreen", "repair"), (), ("windscreen", "repair"))


def test_of_many_chunks_the_rarest_words_choose_and_all_words_rank() -> None:
    chosen = choose_words([word("repair", 0.4), word("windscreen", 0.001)], 100_000)
    assert chosen == WordChoice(("windscreen",), (), ("windscreen", "repair"))


def test_frequent_words_choose_where_few_chunks_have_them_all() -> None:
    words = [word("water", 0.2), word("damage", 0.1), word("house", 0.04), word("alice", 0.0)]
    assert choose_words(words, 100_000) == WordChoice(
        ("alice",), ("house", "damage"), ("alice", "house", "damage", "water")
    )


def test_without_rare_words_the_frequent_ones_choose_whatever_they_find() -> None:
    assert choose_words([word("insurance", 0.9)], 100_000) == WordChoice((), ("insurance",), ("insurance",))


def test_common_words_count_where_there_are_no_others() -> None:
    plan, crown = word("plan", 0.9, common=True), word("crown", 0.001)
    assert choose_words([plan, crown], 100).ranked == ("crown",)
    assert choose_words([plan], 100).ranked == ("plan",)


def test_without_words_nothing_is_chosen() -> None:
    assert choose_words([], 100) == WordChoice((), (), ())


@given(WORDS, ROWS)
def test_something_is_chosen_wherever_there_is_a_word(words: list[Word], rows: int) -> None:
    choice = choose_words(words, rows)
    assert bool(choice.rare + choice.frequent) == bool(words)
    assert choice.rare + choice.frequent == choice.ranked[: len(choice.rare + choice.frequent)]


@given(WORDS, ROWS)
def test_rare_words_find_no_more_than_can_be_ranked(words: list[Word], rows: int) -> None:
    choice = choose_words(words, rows)
    frequency = {each.lexeme: each.frequency for each in words}
    assert min(1, sum(frequency[lexeme] for lexeme in choice.rare)) * rows <= RANKED_ROWS * 1.001


@given(WORDS, ROWS)
def test_frequent_words_find_no_more_than_can_be_ranked_where_there_are_rare_ones(words: list[Word], rows: int) -> None:
    choice = choose_words(words, rows)
    frequency = {each.lexeme: each.frequency for each in words}
    if choice.rare and choice.frequent:
        assert rows * prod(frequency[lexeme] for lexeme in choice.frequent) <= RANKED_ROWS * 1.001


@given(WORDS, ROWS)
def test_no_word_is_passed_over_for_a_more_frequent_one(words: list[Word], rows: int) -> None:
    choice = choose_words(words, rows)
    frequency = {each.lexeme: each.frequency for each in words}
    shares = [frequency[lexeme] for lexeme in choice.ranked]
    assert shares == sorted(shares)

from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.word_choice import RANKED_ROWS, Word, WordChoice, choose_words

WORDS = st.lists(
    st.builds(Word, st.text("abcdefgh", min_size=1), st.booleans(), st.floats(0, 1)),
    unique_by=lambda word: word.lexeme,
)
ROWS = st.integers(0, 10_000_000)


def word(lexeme: str, frequency: float, *, common: bool = False) -> Word:
    return Word(lexeme, common, frequency)


def test_few_chunks_are_all_ranked_that_have_any_word() -> None:
    chosen = choose_words([word("windscreen", 0.01), word("repair", 0.9)], 1000)
    assert chosen == WordChoice(("windscreen", "repair"), ("windscreen", "repair"), together=False)


def test_of_many_chunks_the_rarest_words_choose_and_all_words_rank() -> None:
    chosen = choose_words([word("repair", 0.4), word("windscreen", 0.001)], 100_000)
    assert chosen == WordChoice(("windscreen", "repair"), ("windscreen",), together=False)


def test_where_even_the_rarest_word_finds_too_many_a_chunk_needs_several() -> None:
    chosen = choose_words([word("water", 0.2), word("damage", 0.1), word("house", 0.3)], 100_000)
    assert chosen == WordChoice(("damage", "water", "house"), ("damage", "water", "house"), together=True)


def test_common_words_count_where_there_are_no_others() -> None:
    plan, crown = word("plan", 0.9, common=True), word("crown", 0.001)
    assert choose_words([plan, crown], 100).ranked == ("crown",)
    assert choose_words([plan], 100).ranked == ("plan",)


def test_without_words_nothing_is_chosen() -> None:
    assert choose_words([], 100) == WordChoice((), (), together=False)


@given(WORDS, ROWS)
def test_something_is_chosen_wherever_there_is_a_word(words: list[Word], rows: int) -> None:
    choice = choose_words(words, rows)
    assert bool(choice.chosen) == bool(words)
    assert choice.chosen == choice.ranked[: len(choice.chosen)]


@given(WORDS, ROWS)
def test_no_more_are_expected_than_can_be_ranked_unless_all_words_together_find_more(
    words: list[Word], rows: int
) -> None:
    choice = choose_words(words, rows)
    frequency = {each.lexeme: each.frequency for each in words}
    found = [frequency[lexeme] for lexeme in choice.chosen]
    if choice.together:
        expected = float(rows)
        for share in found:
            expected *= share
        assert expected <= RANKED_ROWS * 1.001 or choice.chosen == choice.ranked
    else:
        assert sum(found) * rows <= RANKED_ROWS * 1.001


@given(WORDS, ROWS)
def test_no_word_is_passed_over_for_a_more_frequent_one(words: list[Word], rows: int) -> None:
    choice = choose_words(words, rows)
    frequency = {each.lexeme: each.frequency for each in words}
    passed_over = [frequency[lexeme] for lexeme in choice.ranked[len(choice.chosen) :]]
    assert all(frequency[lexeme] <= share for lexeme in choice.chosen for share in passed_over)

"""When a process that has ended is started again, and when that ends."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.restarts import Life, Restart, RestartPolicy, TooManyDeaths, after_death, pause, remembered

POLICY = RestartPolicy()

Lived = tuple[float, bool]
lives_lived = st.lists(st.tuples(st.floats(0, 600), st.booleans()), min_size=1, max_size=40)


def lived_through(lived: list[Lived]) -> list[tuple[tuple[Life, ...], Restart | TooManyDeaths]]:
    """What the policy says after each of these lives, until it gives up."""
    now = 0.0
    lives: tuple[Life, ...] = ()
    said: list[tuple[tuple[Life, ...], Restart | TooManyDeaths]] = []
    for seconds, was_ready in lived:
        lives = remembered(POLICY, lives, Life(now, now + seconds, was_ready))
        decision = after_death(POLICY, lives)
        said.append((lives, decision))
        if isinstance(decision, TooManyDeaths):
            break
        now += seconds + decision.seconds
    return said


def test_the_pause_doubles_with_each_death_in_a_row_up_to_a_limit() -> None:
    assert [pause(POLICY, deaths) for deaths in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]


def test_a_process_that_dies_at_once_each_time_is_given_up() -> None:
    said = [decision for _, decision in lived_through([(0.1, False)] * 10)]
    assert said == [Restart(1), Restart(2), Restart(4), Restart(8), TooManyDeaths(5)]


def test_a_process_that_takes_long_to_fail_and_is_never_ready_is_given_up_too() -> None:
    assert isinstance(lived_through([(100, False)] * 10)[-1][1], TooManyDeaths)


def test_a_process_that_works_for_a_while_between_its_deaths_is_never_given_up() -> None:
    assert {decision for _, decision in lived_through([(61, True)] * 100)} == {Restart(1)}


def test_a_process_that_is_killed_now_and_then_is_never_given_up() -> None:
    assert all(isinstance(decision, Restart) for _, decision in lived_through([(20, True)] * 100))


@given(lives_lived)
def test_pauses_stay_within_their_bounds_and_never_shrink_unless_a_life_was_long(lived: list[Lived]) -> None:
    said = lived_through(lived)
    pauses = [decision.seconds for _, decision in said if isinstance(decision, Restart)]
    assert all(POLICY.first_seconds <= seconds <= POLICY.longest_seconds for seconds in pauses)
    for (_, before), (lives, after) in pairwise(said):
        if isinstance(before, Restart) and isinstance(after, Restart) and after.seconds < before.seconds:
            assert len(lives) == 1


@given(lives_lived)
def test_nothing_is_given_up_before_it_has_died_too_often(lived: list[Lived]) -> None:
    said = lived_through(lived)
    assert all(isinstance(decision, Restart) for _, decision in said[: POLICY.most_deaths - 1])


@given(lives_lived)
def test_what_is_given_up_died_too_often_in_a_minute_or_was_never_ready(lived: list[Lived]) -> None:
    lives, decision = lived_through(lived)[-1]
    if isinstance(decision, TooManyDeaths):
        in_a_minute = lives[-1].ended_at - lives[0].ended_at < POLICY.within_seconds
        assert in_a_minute or not any(life.was_ready for life in lives)

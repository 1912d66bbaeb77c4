"""The bench of quality: its scores tell a good reader from a bad one, and this project reads its documents whole."""

import pytest

from benchmarks.quality.documents import MAKERS, Sample, samples
from benchmarks.quality.known import known
from benchmarks.quality.questions import questions
from benchmarks.quality.readers import ours
from benchmarks.quality.scores import Score, score

SAMPLE = Sample(
    "made up",
    "a.md",
    b"",
    ("the barn burned", "the otter swam"),
    (("barn", "900.50"), ("boiler", "7.10")),
    ("barn", "otter"),
)
GOOD = "The **barn** burned.\n\n| barn | 900.50 |\n| boiler | 7.10 |\n\nThe otter swam."


def test_a_good_reader_gets_everything() -> None:
    assert score(SAMPLE, GOOD) == Score(1.0, 1.0, 1.0, clean=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Score(0.0, 0.0, 0.0, clean=True)),
        ("The barn burned.", Score(0.5, 0.0, 0.0, clean=True)),
        ("The otter swam. The barn burned.", Score(1.0, 0.0, 0.0, clean=True)),
        ("barn\n900.50\nboiler 7.10", Score(0.0, 0.5, 0.0, clean=True)),
        ("7.10 boiler", Score(0.0, 0.0, 0.0, clean=True)),
        (GOOD + "\np { color: crimson }", Score(1.0, 1.0, 1.0, clean=False)),
    ],
    ids=["nothing", "half", "wrong order", "cells on lines of their own", "cells in a wrong order", "a style"],
)
def test_a_bad_reader_does_not(text: str, expected: Score) -> None:
    assert score(SAMPLE, text) == expected


def test_the_same_seed_gives_the_same_content_and_questions() -> None:
    assert known(3) == known(3) != known(4)
    assert questions() == questions()


def test_each_kind_of_document_is_read_whole() -> None:
    made = list(samples([7]))
    assert {sample.kind for sample in made} == MAKERS.keys()
    scores = {sample.kind: score(sample, text) for sample, text in zip(made, ours(made), strict=True)}
    assert all(found.clean for found in scores.values())
    lacking = {
        kind: found
        for kind, found in scores.items()
        if found.phrases < 1 or found.rows not in (None, 1) or found.order not in (None, 1)
    }
    assert lacking == {}

"""Whether searches find the passage that answers a question, among all documents of the bench."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.deployments import OWNER, fresh_home
from benchmarks.quality.documents import Sample
from benchmarks.quality.known import SEEDS, known

KINDS = ("pdf prose", "pdf table", "word", "excel", "pdf scan")


@dataclass(frozen=True, slots=True)
class Question:
    words: str
    answer: str
    """Something that stands in the passage that answers it."""


def questions() -> list[Question]:
    """Return questions on paragraphs, rows and numbers, whose words stand in other places too."""
    asked = []
    for seed in SEEDS:
        chance, content = random.Random(seed), known(seed)
        for paragraph in chance.sample(content.paragraphs, 4):
            words = paragraph.replace(".", "").split()
            peril, place = words[3], paragraph.split(" at ")[1].split(" is ")[0]
            asked.append(Question(f"Who inspected the loss {words[1]} by {peril} at {place}?", " ".join(words[:6])))
        asked += [Question(f"replacement value of {row[0]}", row[0]) for row in chance.sample(content.rows[1:], 4)]
        asked += [Question(row[3].replace("-", " "), row[3]) for row in chance.sample(content.rows[1:], 2)]
        asked.append(Question(content.policy.replace("-", ""), content.policy))
    return asked


def hits(samples: Sequence[Sample], at_most: tuple[int, ...] = (1, 5)) -> dict[int, float]:
    """Take the documents in, ask, and return the share of questions that are answered among so many passages."""
    with fresh_home() as home:
        folder = home.folder / "documents"
        folder.mkdir()
        for sample in samples:
            if sample.kind in KINDS:
                (folder / sample.name).write_bytes(sample.content)
        home.ingest("submit", folder)
        home.ingest("drain")
        found = [_place(home.deployment.search.passages(OWNER, each.words, max(at_most)), each) for each in questions()]
    return {most: sum(place < most for place in found) / len(found) for most in at_most}


def _place(passages: Sequence[object], question: Question) -> int:
    """Return how many passages stand before the one that answers the question."""
    texts = [" ".join(str(getattr(passage, "text", "")).split()) for passage in passages]
    return next((place for place, text in enumerate(texts) if question.answer in text), len(texts) + 1)

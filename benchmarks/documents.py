"""Markdown documents of about 10 KB, the same from the same seed: made-up words, headings, paragraphs.

Words come as often as in language, the n-th most frequent one 1/n as often as the first (Zipf).
"""

import random
from itertools import accumulate
from pathlib import Path

CONSONANTS, VOWELS = "bcdfghklmnprstvw", "aeiou"
CHARACTERS = 10_000
WORDS = 4000
FREQUENCIES = list(accumulate(1 / rank for rank in range(1, WORDS + 1)))


def write_documents(folder: Path, count: int, seed: int = 7) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    chance, words = random.Random(seed), vocabulary(seed)
    paths = [folder / f"policy-{number:05}.md" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_text(_document(chance, words, number))
    return paths


def vocabulary(seed: int = 7) -> list[str]:
    chance = random.Random(seed)
    return [_word(chance) for _ in range(WORDS)]


def edit_paragraph(path: Path) -> None:
    """One sentence more in the middle of the document, and not in a heading: all of its section repeats that."""
    paragraphs = path.read_text().split("\n\n")
    middle = len(paragraphs) // 2
    number = next(n for n in range(middle, len(paragraphs)) if not paragraphs[n].startswith("#"))
    paragraphs[number] += " This sentence is new."
    path.write_text("\n\n".join(paragraphs))


def _word(chance: random.Random) -> str:
    return "".join(chance.choice(CONSONANTS) + chance.choice(VOWELS) for _ in range(chance.randint(2, 4)))


def _document(chance: random.Random, words: list[str], number: int) -> str:
    parts, size = [f"# Policy {number} {chance.choice(words)}"], 0
    while size < CHARACTERS:
        if chance.random() < 0.15:
            parts.append("## " + " ".join(_some(chance, words, 3)).title())
        sentences = (" ".join(_some(chance, words, chance.randint(8, 16))) for _ in range(chance.randint(3, 6)))
        parts.append(" ".join(sentence.capitalize() + "." for sentence in sentences))
        size += len(parts[-1])
    return "\n\n".join(parts)


def _some(chance: random.Random, words: list[str], count: int) -> list[str]:
    return chance.choices(words, cum_weights=FREQUENCIES, k=count)

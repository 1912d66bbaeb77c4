"""Which paths of a folder are left out, by patterns as in `.gitignore`."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pathspec import GitIgnoreSpec

from ingest_assets.domain.errors import PermanentError

IGNORE_FILE = ".ingestignore"
LONGEST_IGNORE_FILE = 1 << 20


def patterns_of(lines: Iterable[str]) -> GitIgnoreSpec:
    """Return the patterns.

    Raises:
        PermanentError: wrong_usage, if one of them is none.
    """
    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError:
        raise PermanentError("wrong_usage", what="A pattern is not one that .gitignore would take.") from None


@dataclass(frozen=True, slots=True)
class IgnoreFile:
    folder: str
    patterns: GitIgnoreSpec


@dataclass(frozen=True)
class IgnoreRules:
    """What a person includes and excludes below a folder that they named, and what its ignore files say."""

    folder: str
    include: Sequence[str] = ()
    """Patterns of files, at least one of which is to match, if there are any."""
    exclude: Sequence[str] = ()
    files: tuple[IgnoreFile, ...] = field(default=())

    def within(self, folder: str, content: bytes) -> "IgnoreRules":
        """Return the rules with those of the ignore file of a folder below; lines that are no patterns do not count."""
        lines = content[:LONGEST_IGNORE_FILE].decode(errors="replace").removeprefix("\ufeff").splitlines()
        usable = [line for line in lines if _is_pattern(line)]
        return IgnoreRules(
            self.folder, self.include, self.exclude, (IgnoreFile(folder, GitIgnoreSpec.from_lines(usable)), *self.files)
        )

    def ignores(self, path: str, *, is_folder: bool) -> bool:
        """Return whether a path is left out; whoever asks has not been told so of a folder above it."""
        if self.exclude and self._excluded.match_file(_relative(path, self.folder, is_folder=is_folder)):
            return True
        if self.include and not is_folder and not self._included.match_file(_relative(path, self.folder)):
            return True
        for each in self.files:
            decided = each.patterns.check_file(_relative(path, each.folder, is_folder=is_folder)).include
            if decided is not None:
                return decided
        return False

    @cached_property
    def _excluded(self) -> GitIgnoreSpec:
        return patterns_of(self.exclude)

    @cached_property
    def _included(self) -> GitIgnoreSpec:
        return patterns_of(self.include)


def _relative(path: str, folder: str, *, is_folder: bool = False) -> str:
    return os.path.relpath(path, folder) + ("/" if is_folder else "")


def _is_pattern(line: str) -> bool:
    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True

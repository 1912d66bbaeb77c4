"""Which licences the installed packages have, and whether something that is built on them may be passed on.

`python -m supply_chain.licences` says what is wrong and exits with 1.
"""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions

PERMITTED = frozenset({
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CNRI-Python", "ISC", "MIT", "MIT-0", "MIT-CMU",
    "MPL-2.0", "PSF-2.0", "Zlib",
})  # fmt: skip
"""By their SPDX names. MPL-2.0 concerns changes of the package's own files only."""

SPELLINGS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License Version 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD 2-Clause License": "BSD-2-Clause",
    "ISC License": "ISC",
    "MIT License": "MIT",
    "MIT license": "MIT",
    "PSFL": "PSF-2.0",
    "OSI Approved :: Apache Software License": "Apache-2.0",
    "OSI Approved :: BSD License": "BSD-3-Clause",
    "OSI Approved :: ISC License (ISCL)": "ISC",
    "OSI Approved :: MIT License": "MIT",
    "OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "OSI Approved :: Python Software Foundation License": "PSF-2.0",
}
"""How packages without an SPDX expression write the same."""

LGPL = "LGPL: used as a library as it is, and replaceable by another build of it, which is all that this licence asks."
ACCEPTED: Mapping[str, str] = {
    "psycopg": LGPL,
    "psycopg-binary": LGPL,
    "psycopg-pool": LGPL,
    "psycopg2-binary": LGPL,
    "pypdfium2": "BSD-3-Clause and Apache-2.0, with PDFium's own dependencies, which are permissive too.",
}
"""Packages that are used although the rules above refuse them, and why."""

CLASSIFIER = "License :: "


@dataclass(frozen=True, slots=True)
class Package:
    name: str
    licences: tuple[str, ...]
    """All of them apply. SPDX expressions, or whatever the package says instead; empty where it says nothing."""

    @property
    def permitted(self) -> bool:
        return bool(self.licences) and all(map(is_permitted, self.licences))


def is_permitted(expression: str) -> bool:
    """Of an SPDX expression without brackets: one of its alternatives with all its parts. What is unknown is not."""
    return any(
        all(SPELLINGS.get(part, part) in PERMITTED for part in alternative.split(" AND "))
        for alternative in expression.split(" OR ")
    )


def read_package(distribution: Distribution) -> Package:
    """An expression counts; without one, a text that is known, or else the classifiers."""
    metadata = distribution.metadata
    expression, text = (next(iter(metadata.get_all(name) or ()), None) for name in ("License-Expression", "License"))
    classifiers = [line for line in metadata.get_all("Classifier") or [] if line.startswith(CLASSIFIER)]
    named = tuple(line.removeprefix(CLASSIFIER) for line in classifiers if "DFSG" not in line)
    if expression:
        return Package(distribution.name, (expression,))
    if text and (is_permitted(text) or not named):
        return Package(distribution.name, (text.splitlines()[0],))
    return Package(distribution.name, named)


def refused(packages: Iterable[Package]) -> list[Package]:
    return [package for package in packages if not package.permitted and package.name not in ACCEPTED]


def installed() -> list[Package]:
    return sorted(map(read_package, distributions()), key=lambda package: package.name.lower())


def main() -> int:
    packages = installed()
    problems = refused(packages)
    for package in problems:
        print(f"{package.name}: {'; '.join(package.licences) or 'says nothing of a licence'}", file=sys.stderr)
    print(f"{len(packages)} packages, {len(problems)} with a licence that is not permitted.")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())

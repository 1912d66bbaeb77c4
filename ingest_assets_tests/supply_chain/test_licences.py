"""Nothing is installed whose licence would bind what is built on it, or whose licence nobody knows."""

from importlib.metadata import Distribution
from pathlib import Path

import pytest

from supply_chain.licences import ACCEPTED, Package, installed, is_permitted, read_package, refused


class Installed(Distribution):
    """A package with this metadata."""

    def __init__(self, *lines: str) -> None:
        self._lines = ["Metadata-Version: 2.4", "Name: a-package", "Version: 1", *lines]

    def read_text(self, filename: str) -> str | None:
        return "\n".join(self._lines) if filename == "METADATA" else None

    def locate_file(self, path: object) -> Path:
        raise NotImplementedError


def test_every_installed_package_may_be_used() -> None:
    assert refused(installed()) == []


def test_exceptions_are_about_what_is_installed_and_needed() -> None:
    needed = {package.name for package in installed() if not package.permitted}
    assert needed == set(ACCEPTED)


@pytest.mark.parametrize(
    "lines",
    [
        ("License-Expression: GPL-3.0-or-later",),
        ("License-Expression: AGPL-3.0-only", "Classifier: License :: OSI Approved :: MIT License"),
        ("License-Expression: MIT AND GPL-2.0-only",),
        ("License-Expression: (MIT OR Apache-2.0) AND BSD-3-Clause",),
        ("License: GNU Affero GPL 3.0",),
        ("License: a licence of our own",),
        ("Classifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)",),
        (
            "Classifier: License :: OSI Approved :: MIT License",
            "Classifier: License :: OSI Approved :: GNU Affero General Public License v3",
        ),
        ("Classifier: License :: Other/Proprietary License", "License: MIT, mostly"),
        (),
    ],
)
def test_copyleft_and_what_nobody_knows_is_refused(lines: tuple[str, ...]) -> None:
    assert refused([read_package(Installed(*lines))])


@pytest.mark.parametrize(
    "lines",
    [
        ("License-Expression: GPL-2.0-only OR MIT",),
        ("License-Expression: Apache-2.0 AND MIT",),
        ("License: MIT License",),
        ("License: Dual License", "Classifier: License :: OSI Approved :: BSD License"),
    ],
)
def test_a_permitted_choice_is_enough(lines: tuple[str, ...]) -> None:
    assert refused([read_package(Installed(*lines))]) == []


def test_an_exception_is_for_one_package() -> None:
    assert not is_permitted("LGPL-3.0-only")
    assert refused([Package("psycopg", ("LGPL-3.0-only",)), Package("another", ("LGPL-3.0-only",))]) == [
        Package("another", ("LGPL-3.0-only",))
    ]

"""What README.md and the pages in docs/ show is right: commands exist, code parses, links lead somewhere."""

import ast
import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import yaml

from ingest_assets.cli.app import load_command
from ingest_assets_tests.docs.pages import (
    DOCS,
    PAGES,
    ROOT,
    SHELL,
    Block,
    anchors_of,
    blocks_of,
    name_of,
    steps_of,
    without_blocks,
)

PLAIN = {"", "text"}
"""Pictures of layers and what programs print, for which there is nothing to check."""
OTHERS_PROGRAMS = {"nginx", "markdown"}
"""Of programs that are not installed for tests."""
READERS: dict[str, Callable[[str], object]] = {"python": ast.parse, "json": json.loads, "yaml": yaml.safe_load}
KNOWN = {*SHELL, *READERS, "console", "sql"} | PLAIN | OTHERS_PROGRAMS
SIGNS = ";()<>|&\n"
COMMENT = re.compile(r"(?:^|(?<=\s))#.*$", re.MULTILINE)
ASSIGNMENT = re.compile(r"\w+=")
NUMBER = re.compile(r"EVENT_ID|N|\$\w+")
"""What stands for a number on a page."""
QUOTED = re.compile(r"(?<!`)`(ingest [a-z][^`|]*)`")
OPTIONAL = re.compile(r"[\[\]…<>]")
MAKE = re.compile(r"\bmake ([a-z]+(?:-[a-z]+)*)\b")
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`[^`]*`")
BLOCKS = [(page, block) for page in PAGES for block in blocks_of(page)]


def blocks(*languages: str) -> list[pytest.param]:  # type: ignore[valid-type]
    found = [(page, block) for page, block in BLOCKS if block.language in languages]
    return [pytest.param(block, id=f"{name_of(page)} {number}") for number, (page, block) in enumerate(found)]


def calls_of_ingest(shown: str) -> Iterator[list[str]]:
    """The arguments of each call of `ingest` in what a shell would run; a shell's own signs end a call."""
    lexer = shlex.shlex(COMMENT.sub("", shown.replace("\\\n", " ")), posix=True, punctuation_chars=SIGNS)
    lexer.whitespace = " \t"
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= set(SIGNS):
            if words and Path(words[0]).name == "ingest":
                yield words[1:]
            words = []
        elif words or not ASSIGNMENT.match(word):
            words.append(word)
    for inner in re.findall(r"\$\((.*?)\)", shown):
        yield from calls_of_ingest(inner)


def assert_parses(arguments: list[str]) -> None:
    name, *rest = ["7" if NUMBER.fullmatch(each) else each for each in arguments if each != "…"]
    if not name.startswith("-"):
        load_command(name).make_context(name, rest)


def test_every_block_says_what_it_is_in() -> None:
    assert {block.language for _, block in BLOCKS} <= KNOWN


@pytest.mark.parametrize("block", blocks(*SHELL))
def test_a_block_of_commands_is_one_that_a_shell_accepts(block: Block) -> None:
    assert subprocess.run(["bash", "-n"], input=block.text, text=True, check=False).returncode == 0
    for arguments in calls_of_ingest(block.text):
        assert_parses(arguments)


@pytest.mark.parametrize("block", blocks("console"))
def test_commands_that_are_executed_elsewhere_parse_too(block: Block) -> None:
    for step in steps_of(block):
        for arguments in calls_of_ingest(step.command):
            assert_parses(arguments)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_command_in_a_sentence_exists_with_its_options(page: Path) -> None:
    for command in QUOTED.findall(without_blocks(page)):
        name, *arguments = shlex.split(OPTIONAL.sub("", command))[1:]
        options = {option for each in load_command(name).params for option in each.opts} | {"--help"}
        assert {each for each in arguments if each.startswith("--")} <= options, command


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_make_target_that_a_page_names_exists(page: Path) -> None:
    shown = [block.text for block in blocks_of(page) if block.language in (*SHELL, "console", "")]
    quoted = re.findall(r"`([^`]*)`", without_blocks(page))
    named = {target for text in (*shown, *quoted) for target in MAKE.findall(text)}
    assert named <= TARGETS


@pytest.mark.parametrize("block", blocks(*READERS))
def test_what_another_program_reads_is_well_formed(block: Block) -> None:
    READERS[block.language](block.text)


@pytest.mark.parametrize("block", blocks("sql"))
def test_the_server_understands_sql(block: Block, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE ROLE my_application")
        connection.execute(block.text.replace("COMMIT;", "").encode())
        connection.rollback()


@pytest.mark.parametrize("page", [*PAGES, ROOT / "SECURITY.md", ROOT / "CONTRIBUTING.md"], ids=name_of)
def test_a_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for link in LINK.findall(CODE.sub("", without_blocks(page))):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.is_file(), link
        assert not anchor or anchor in anchors_of(target), link


def test_every_decision_is_listed() -> None:
    listed = set(LINK.findall((DOCS / "decisions" / "index.md").read_text()))
    assert listed == {path.name for path in (DOCS / "decisions").glob("0*.md")}

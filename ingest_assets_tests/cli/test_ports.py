"""A port that is in use is named, with one to use instead."""

import re
from collections.abc import Iterator

import pytest

from ingest_assets.cli.commands.up import ui_port
from ingest_assets.cli.ports import listening
from ingest_assets.domain.errors import PermanentError
from ingest_assets.settings import Settings

HOST = "127.0.0.1"


@pytest.fixture
def port_in_use() -> Iterator[int]:
    with listening(HOST, 0) as listener:
        yield listener.getsockname()[1]


def test_a_service_says_which_port_is_in_use_and_which_is_not(port_in_use: int) -> None:
    with pytest.raises(PermanentError) as raised:
        listening(HOST, port_in_use)
    before, _, free = raised.value.message.removesuffix(".").partition("; try --port ")
    assert (raised.value.code, before) == ("wrong_usage", f"Port {port_in_use} is in use")
    listening(HOST, int(free)).close()


def test_a_ui_port_that_somebody_chose_is_not_replaced(port_in_use: int) -> None:
    with pytest.raises(PermanentError, match=f"Port {port_in_use} is in use; try --port "):
        ui_port(port_in_use, Settings())
    with pytest.raises(PermanentError, match=f"Port {port_in_use} is in use; try --port "):
        ui_port(None, Settings(ui_port=port_in_use))


def test_the_default_ui_port_gives_way_and_says_so(port_in_use: int, capsys: pytest.CaptureFixture[str]) -> None:
    class Defaults(Settings):
        ui_port: int = port_in_use

    chosen = ui_port(None, Defaults())
    assert chosen > port_in_use
    assert f"Port {port_in_use} is in use; the UI gets port {chosen}." in capsys.readouterr().err


def test_an_address_of_another_machine_is_no_port_in_use() -> None:
    with pytest.raises(PermanentError, match=re.escape("cannot listen on 192.0.2.1, port 8000")):
        listening("192.0.2.1", 8000)

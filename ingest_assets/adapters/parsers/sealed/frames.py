"""The worker's protocol: a JSON header and a body of bytes, preceded by their lengths."""

import json
from struct import Struct
from typing import Any, BinaryIO

LENGTHS = Struct(">IQ")


def write_frame(stream: BinaryIO, header: dict[str, Any], body: bytes) -> None:
    encoded = json.dumps(header).encode()
    stream.write(LENGTHS.pack(len(encoded), len(body)) + encoded)
    stream.write(body)
    stream.flush()


def read_frame(stream: BinaryIO, limit: int) -> tuple[dict[str, Any], bytes]:
    """Read one frame and return its header and body.

    Raises:
        EOFError: The stream has ended.
        ValueError: The bytes are not a frame, or it is longer than `limit`.
    """
    header_length, body_length = LENGTHS.unpack(_read(stream, LENGTHS.size))
    if header_length + body_length > limit:
        raise ValueError
    try:
        header = json.loads(_read(stream, header_length))
    except RecursionError:
        raise ValueError from None
    if not isinstance(header, dict):
        raise ValueError  # noqa: TRY004  callers handle one kind of bad frame
    return header, _read(stream, body_length)


def _read(stream: BinaryIO, length: int) -> bytes:
    content = stream.read(length)
    if len(content) < length:
        raise EOFError
    return content

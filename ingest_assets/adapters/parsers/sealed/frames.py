"""The worker's protocol: a JSON header and a body of bytes, preceded by their lengths."""

import json
from struct import Struct
from typing import Any, BinaryIO

LENGTHS = Struct(">IQ")
LONGEST_HEADER = 1 << 20
"""In bytes. JSON takes up to thirty times its length in memory once it is read. It holds the longest names of as many
attachments as a document may have, because their characters stand in it as they are."""
CUT = Struct(">8I")
"""A chunk as in `Cut`, but with the number of the line that holds its heading path; the lines follow all cuts."""


def write_frame(stream: BinaryIO, header: dict[str, Any], body: bytes) -> None:
    encoded = json.dumps(header, ensure_ascii=False).encode(errors="surrogatepass")
    stream.write(LENGTHS.pack(len(encoded), len(body)) + encoded)
    stream.write(body)
    stream.flush()


def read_frame(stream: BinaryIO, longest_body: int) -> tuple[dict[str, Any], bytes]:
    """Read one frame and return its header and body.

    Raises:
        EOFError: The stream has ended.
        ValueError: The bytes are not a frame, or its header or body is too long.
    """
    header_length, body_length = LENGTHS.unpack(_read(stream, LENGTHS.size))
    if header_length > LONGEST_HEADER or body_length > longest_body:
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

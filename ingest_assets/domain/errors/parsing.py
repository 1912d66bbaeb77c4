"""What can go wrong while a document is parsed."""

from ingest_assets.domain.errors.error import PermanentError, Problem, TransientError

PROBLEMS = {
    "encrypted": Problem(
        PermanentError, "The document is protected by a password.", "Remove the password and submit the file again."
    ),
    "corrupt": Problem(
        PermanentError, "The document is damaged and cannot be read.", "Export the document again from its source."
    ),
    "needs_ocr": Problem(
        PermanentError,
        "The document is a scan without text.",
        "Run it through text recognition (OCR) and submit the result.",
    ),
    "empty_output": Problem(
        PermanentError,
        "The parser found no text.",
        "Open the document and check that it is complete and contains text, then submit it again.",
    ),
    "timeout": Problem(
        TransientError,
        "Parsing took longer than {seconds} seconds.",
        "Split the document, or raise INGEST_PARSE_SECONDS.",
        retries=1,
    ),
    "out_of_memory": Problem(
        TransientError,
        "Parsing needed more than {megabytes} MB of memory.",
        "Split the document, or raise INGEST_PARSE_MEMORY_MB.",
        retries=1,
    ),
    "too_many_pages": Problem(
        PermanentError, "The document has {pages} pages, more than {limit}.", "Split the document."
    ),
    "bomb": Problem(
        PermanentError, "The file would unpack to far more than its size.", "Export the document again from its source."
    ),
    "parser_crashed": Problem(
        TransientError,
        "The parser crashed on this document.",
        "Export the document again from its source.",
        retries=1,
    ),
}

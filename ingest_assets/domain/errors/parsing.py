"""What can go wrong while a document is parsed and its text is cut into chunks."""

from ingest_assets.domain.errors.error import PermanentError, Problem, ResourceError, TransientError

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
        "Check that it is legible and in a language of INGEST_OCR_LANGUAGES, and submit it again.",
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
    "parsing_slow": Problem(
        ResourceError,
        "Parsing takes longer than {seconds} seconds, so the document waits for its turn among slow ones.",
        "You need not do anything: it is parsed later, with all the time that INGEST_PARSE_SECONDS allows.",
    ),
    "recognition_slow": Problem(
        ResourceError,
        "The text of scanned pages has to be recognised, so the document waits for its turn among slow ones.",
        "You need not do anything: documents that have their text go first.",
    ),
    "out_of_memory": Problem(
        TransientError,
        "Parsing needed more than {megabytes} MB of memory.",
        "Split the document, or raise INGEST_PARSE_MEMORY_MB.",
        retries=1,
    ),
    "chunking_timeout": Problem(
        TransientError,
        "Cutting the text into chunks took longer than {seconds} seconds.",
        "Split the document, or raise INGEST_PARSE_SECONDS.",
        retries=1,
    ),
    "chunking_out_of_memory": Problem(
        TransientError,
        "Cutting the text into chunks needed more than {megabytes} MB of memory.",
        "Split the document, or raise INGEST_PARSE_MEMORY_MB.",
        retries=1,
    ),
    "chunking_crashed": Problem(
        TransientError,
        "The chunker crashed on this document.",
        "Export the document again from its source.",
        retries=1,
    ),
    "too_many_pages": Problem(
        PermanentError, "The document has {pages} pages, more than {limit}.", "Split the document."
    ),
    "bomb": Problem(
        PermanentError, "The file would unpack to far more than its size.", "Export the document again from its source."
    ),
    "parser_killed": Problem(
        TransientError,
        "The parser was killed or stopped from outside (signal {signal}).",
        "If it happens again, find out what ends processes on this host, then replay the document.",
    ),
    "host_out_of_memory": Problem(
        TransientError,
        "The system ran out of memory and killed the parser.",
        "Give the host or the container more memory, or lower INGEST_DRAIN_WORKERS, then replay the document.",
    ),
    "parser_crashed": Problem(
        TransientError,
        "The parser crashed on this document.",
        "Export the document again from its source.",
        retries=1,
    ),
}

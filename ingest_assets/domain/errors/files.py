"""What can be wrong with a path or a file before it is parsed."""

from ingest_assets.domain.errors.error import PermanentError, Problem

PROBLEMS = {
    "path_missing": Problem(PermanentError, "There is no file or folder at this path.", "Check the path's spelling."),
    "unreadable_file": Problem(
        PermanentError, "The file cannot be read.", "Give this user read permission on it and submit it again."
    ),
    "path_unusable": Problem(
        PermanentError,
        "The path cannot be stored: it is not UTF-8, or it is longer than {limit} bytes.",
        "Rename the file, or move it closer to the root.",
    ),
    "folder_loop": Problem(
        PermanentError,
        "This folder links back to a folder that contains it.",
        "Remove the link, or submit its target.",
    ),
    "prune_suspicious": Problem(
        PermanentError,
        "Nothing was removed: {found} files are gone, which is everything from one of the folders or from a disk that "
        "is not mounted.",
        "Check that everything is mounted.",
    ),
    "empty_file": Problem(PermanentError, "The file has no content.", "Submit the file again once it is complete."),
    "too_large": Problem(
        PermanentError,
        "The file has more than {limit} bytes.",
        "Split the document, or raise INGEST_MAX_FILE_BYTES if that is safe.",
    ),
    "unsupported": Problem(
        PermanentError,
        "This kind of file cannot be parsed.",
        "Convert it to PDF, DOCX, HTML, Markdown or another supported format.",
    ),
    "type_mismatch": Problem(
        PermanentError,
        "The content is {found}, but the file's extension says {expected}.",
        "Correct the extension, or export the file again.",
    ),
    "polyglot": Problem(
        PermanentError,
        "The content can be read as more than one kind of file.",
        "Export the document again from its source.",
    ),
    "external_reference": Problem(
        PermanentError,
        "The document loads a part of itself from the web.",
        "Break its links to templates and objects (File, Info, Edit Links), or export it as PDF.",
    ),
}

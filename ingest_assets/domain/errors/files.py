"""What can be wrong with a path or a file before it is parsed."""

from ingest_assets.domain.errors.error import OutageError, PermanentError, Problem

PROBLEMS = {
    "path_missing": Problem(PermanentError, "There is no file or folder at this path.", "Check the path's spelling."),
    "unreadable_file": Problem(
        PermanentError, "The file cannot be read.", "Give this user read permission on it and submit it again."
    ),
    "notification_unreadable": Problem(
        PermanentError,
        "A message of the queue is no event notification of S3.",
        "Look at the message in the queue's dead-letter queue: only a bucket's notifications belong here.",
    ),
    "source_refused": Problem(
        PermanentError,
        "There is no such queue, or it is not for this login.",
        "Check the queue's name, and the region and the login in the variables and files of AWS.",
    ),
    "source_unreachable": Problem(
        OutageError,
        "What documents come from does not answer.",
        "Check that the service can be reached, and that the login still holds; intake then resumes by itself.",
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
    "link_leaves_folder": Problem(
        PermanentError,
        "This is a link that leads out of the folder that was named.",
        "Submit its target by name.",
    ),
    "archive_refused": Problem(
        PermanentError,
        "The file is a ZIP archive, and archives are not taken in here.",
        "Unpack it and submit its files, or set INGEST_ARCHIVES to true.",
    ),
    "nested_too_deeply": Problem(
        PermanentError,
        "The attachment lies too deep within other attachments.",
        "Save it as a file and submit that.",
    ),
    "too_many_attachments": Problem(
        PermanentError,
        "The submitted document has more within it than is taken out of one document.",
        "Save the attachment as a file and submit that.",
    ),
    "prune_suspicious": Problem(
        PermanentError,
        "Nothing was removed: {found} files are gone, which is everything from one of the folders or from a disk that "
        "is not mounted.",
        "Check that everything is mounted.",
    ),
    "not_from_a_file": Problem(
        PermanentError,
        "The document did not come from a file that can be submitted again.",
        "Send the corrected content from the same source again.",
    ),
    "invalid_metadata": Problem(
        PermanentError, "The document's metadata is not understood: {what}", "Correct it and submit the file again."
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

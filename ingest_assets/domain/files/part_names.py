"""Names of a package's parts. They are structure; any other name may be a person's, and is not shown."""

import re
from urllib.parse import unquote

WORDS = """
    _rels activex app attachedtoolbars basic bibliography calcchain chart charts chartsheets colors comment
    commentauthors comments commentsextended commentsextensible commentsids configurations connections content
    content_types control core ctrlprops custom customdata customproperty customui customxml diagrams dialogs
    dialogsheets docprops document documentrels drawing drawings embeddings endnotes externallink externallinks
    fonts fonttable footer footnotes glossary handoutmaster handoutmasters header hyperlink ink inks item itemprops
    keymapping layout macrosheets manifest media meta meta-inf metadata mimetype model notesmaster notesmasters
    notesslide notesslides numbering object oleobject people persons pictures pivotcache pivottable pivottables ppt
    presentation presprops printersettings querytable querytables revisions richdata scripts settings sharedstrings
    sheet slicercaches slicers slide slidelayout slidelayouts slidemaster slidemasters slides styles
    styleswitheffects table tables tablestyles tags theme themes threadedcomments thumbnail thumbnails timelines
    vbadata vbaproject vbaprojectsignature viewprops vmldrawing volatiledependencies webextensions websettings word
    workbook worksheets xl
"""
KNOWN = frozenset(WORDS.split())
ENDING = re.compile(
    r"(?:\.(?:xml|rels|vml|bin|dat|rdf|html?|xhtml|mht|rtf|txt|docx|xlsx|pptx|svg|png|jpe?g|gif|emf|wmf|tiff?)){0,2}$",
    re.IGNORECASE,
)
NUMBER = re.compile(r"[0-9]{1,4}$")
MOST_SEGMENTS = 5
OTHER = "<other>"


def shown_name(part: str) -> str:
    """Return the part's name with everything left out that office programs do not call parts themselves."""
    return "/".join(map(_shown_segment, part.replace("[", "").replace("]", "").strip("/").split("/")[:MOST_SEGMENTS]))


def last_segment(part: str) -> str:
    """Return the last segment, in lower case, of a name or of what leads to it from another part."""
    return unquote(part).lower().replace("\\", "/").rpartition("/")[2].strip()


def _shown_segment(segment: str) -> str:
    ending = ENDING.search(segment)
    stem = segment[: ending.start()] if ending else segment
    return segment if not stem or NUMBER.sub("", stem).lower() in KNOWN else OTHER

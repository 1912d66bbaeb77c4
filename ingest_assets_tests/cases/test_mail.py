"""Mail is a folder: its text is found, and so is each attachment, as a document of its own."""

import struct
from email.message import EmailMessage

import compressed_rtf
import pytest

from ingest_assets.adapters.parsers.sealed.tnef import unwrapped
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.queue.stages import State
from ingest_assets_tests.cases.found import FILES, Found
from ingest_assets_tests.documents import drain_all, ingest, status_of
from ingest_assets_tests.outlook_files import OutlookMail, outlook_file
from ingest_assets_tests.sample_files import docx, pdf

TINY_PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(200)


def files_found(deployment: Deployment, user: UserId, words: str) -> list[str]:
    """Return the names of the files in which the search finds all of the words."""
    hits = deployment.search.passages(user, words, 10)
    return [hit.filename for hit in hits if all(word in hit.text for word in words.split())]


def mail(*, plain: str | None = None, html: str | None = None) -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Loss", "broker@example.invalid", "claims@example.invalid"
    if plain is not None:
        message.set_content(plain)
    if html is not None and plain is not None:
        message.add_alternative(html, subtype="html")
    elif html is not None:
        message.set_content(html, subtype="html")
    return message


def test_an_attached_mail_and_its_own_attachment_are_documents(deployment: Deployment, user: UserId) -> None:
    parent = ingest(deployment, user, (FILES / "15_nested_mail.eml").read_bytes(), "15_nested_mail.eml")
    drain_all(deployment)
    drain_all(deployment)

    assert files_found(deployment, user, "thatched roof beyond repair") == ["report.pdf"]
    assert files_found(deployment, user, "tarpaulin") == ["expenses.csv"]
    assert files_found(deployment, user, "Hollin Bank burned")[0] == "Original notice of loss.eml"
    attachments = deployment.documents.attachments(parent)
    assert {each.path: each.state for each in attachments} == {
        "Original notice of loss.eml": State.DONE,
        "expenses.csv": State.DONE,
    }
    [parsed] = [event.payload for event in deployment.documents.history(parent) if "attachments" in event.payload]
    assert parsed["attachments"] == 2


def test_outlook_s_own_files_are_read_with_what_is_attached(deployment: Deployment, user: UserId) -> None:
    inner = OutlookMail("Original", "The byre collapsed.", files=[("invoice.pdf", pdf("Slate for the byre roof."))])
    content = outlook_file(
        OutlookMail(
            "Loss at Hollin Bank",
            "Please see the attached estimate.",
            html="<html><style>p { color: crimson }</style><p>Please see the attached <b>estimate</b>.</p></html>",
            files=[("estimate.docx", docx("Timber for the barn costs nine thousand."))],
            shown_pictures=[("logo.png", TINY_PICTURE)],
            messages=[inner],
        )
    )
    parent = ingest(deployment, user, content, "loss.msg")
    drain_all(deployment)
    drain_all(deployment)

    assert files_found(deployment, user, "attached estimate") == ["loss.msg"]
    assert files_found(deployment, user, "crimson") == []
    assert files_found(deployment, user, "Timber barn") == ["estimate.docx"]
    assert files_found(deployment, user, "byre collapsed") == ["Original.eml"]
    assert files_found(deployment, user, "Slate") == ["invoice.pdf"]
    assert {each.path for each in deployment.documents.attachments(parent)} == {"estimate.docx", "Original.eml"}


def test_a_mail_that_outlook_wrote_as_rich_text_is_read(deployment: Deployment, user: UserId) -> None:
    packed = compressed_rtf.compress(rb"{\rtf1\ansi The culvert gave way.\par}")
    found = Found(deployment, user, "flood.msg", outlook_file(OutlookMail("Flood", packed_rtf=packed)))
    assert "The culvert gave way" in found.passage("culvert")


def test_html_leaks_neither_styles_nor_scripts_and_stands_once(deployment: Deployment, user: UserId) -> None:
    message = mail(
        plain="The walrus is covered for 1,250.00.",
        html="<html><head><style>.x{font:crimson}</style><script>alert('crimson')</script></head>"
        "<body><p>The walrus is covered for <b>1,250.00</b>.</p><!-- crimson --></body></html>",
    )
    found = Found(deployment, user, "walrus.eml", message.as_bytes()).passage("walrus covered")
    assert found.count("walrus is covered") == 1
    assert "crimson" not in found
    assert "alert" not in found


def test_a_thread_that_is_quoted_again_and_again_stands_once(deployment: Deployment, user: UserId) -> None:
    thread = (
        "I agree.\n\nOn Monday Ada wrote:\n> The walrus is covered.\n>\n> On Sunday Bob wrote:\n"
        ">> Is the walrus covered?\n\n-- \nOn Sunday Bob wrote:\n> Is the walrus covered?\n> The walrus is covered.\n"
    )
    found = Found(deployment, user, "thread.eml", mail(plain=thread).as_bytes()).passage("walrus covered")
    assert found.count("The walrus is covered.") == 1
    assert found.count("Is the walrus covered?") == 1


def test_a_mail_of_html_alone_and_a_name_in_another_alphabet(deployment: Deployment, user: UserId) -> None:
    message = mail(html="<p>Der Schaden am Giebel betr&auml;gt 900 Euro.</p>")
    message.replace_header("Subject", "Schadenmeldung für Überschwemmung")
    message.add_attachment(
        pdf("Slate for the gable."), maintype="application", subtype="pdf", filename="Prüfbericht.pdf"
    )
    found = Found(deployment, user, "schaden.eml", message.as_bytes())
    drain_all(deployment)
    assert "Schadenmeldung für Überschwemmung" in found.passage("Giebel")
    assert files_found(deployment, user, "Slate gable") == ["Prüfbericht.pdf"]


def test_texts_that_are_no_alternatives_of_each_other_are_all_read(deployment: Deployment, user: UserId) -> None:
    content = (
        b"Subject: Report\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=a\n\n"
        b"--a\nContent-Type: text/plain\n\nThe walrus was stolen.\n"
        b"--a\nContent-Type: text/html\n\n<html><head><meta charset=utf-8><body><p>This mail is confidential, and so"
        b" is all that is attached to it.</p>\n--a--\n"
    )
    found = Found(deployment, user, "report.eml", content).passage("walrus confidential")
    assert "The walrus was stolen." in found
    assert "This mail is confidential" in found


def test_what_bad_mail_programs_write_is_read_as_far_as_it_goes(deployment: Deployment, user: UserId) -> None:
    for number, (head, body) in enumerate(
        [
            (b"Subject: =?utf-8?b?U2NoYWRlb?=\nContent-Type: text/plain; charset=utf-8\n", b"The walrus 0."),
            (b"Subject: x\nContent-Type: text/plain; charset=x-unknown\n", b"The walrus 1."),
            (b"Subject: x\nContent-Type: text/plain; charset=koi8-u\n", b"The walrus 2."),
            ("Subject: Schaden für Müller\nContent-Type: text/plain\n".encode(), b"The walrus 3."),
            (b"Subject: x\nContent-Type: text/plain; charset=iso-8859-1\n", b"The walrus 4 costs 1.250,00 \x80."),
        ]
    ):
        found = Found(deployment, user, f"{number}.eml", head + b"\n" + body).passage("walrus")
        assert f"The walrus {number}" in found
        assert number != 3 or "Schaden für Müller" in found
        assert number != 4 or "1.250,00 €" in found


def test_answers_that_happen_to_be_the_same_stay(deployment: Deployment, user: UserId) -> None:
    thread = "Thanks.\n> War die Walross-Klappe zu?\n> Ja\n> Gab es Zeugen?\n> Ja\n"
    found = Found(deployment, user, "thread.eml", mail(plain=thread).as_bytes()).passage("Zeugen")
    assert found.count("Ja") == 2


def test_mail_that_is_utf_8_without_saying_so_keeps_its_umlauts(deployment: Deployment, user: UserId) -> None:
    for charset in ("us-ascii", "iso-8859-1"):
        content = f"Subject: x\nContent-Type: text/plain; charset={charset}\n\nDas Walross hat Größe.".encode()
        assert "Das Walross hat Größe." in Found(deployment, user, f"{charset}.eml", content).passage("Walross")


INVITATION = (
    "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:Roof inspection\r\n"
    "DTSTART;TZID=Europe/Berlin:20240703T143000\r\nDTEND:20240703T133000Z\r\n"
    "LOCATION:Gullwing Row 5\\, Fenwick\r\nDESCRIPTION:The assessor brings a long lad\r\n der.\r\n"
    'ATTENDEE;CN="Ada Threlkeld":mailto:ada@example.org\r\n'
    "BEGIN:VALARM\r\nDESCRIPTION:Reminder\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
SHOWN_INVITATION = [
    "**Event**: Roof inspection",
    "**Begins**: 2024-07-03 14:30",
    "**Ends**: 2024-07-03 13:30 UTC",
    "**Place**: Gullwing Row 5, Fenwick",
    "**Invited**: Ada Threlkeld <ada@example.org>",
    "**Description**: The assessor brings a long ladder.",
]


def test_an_invitation_says_what_when_and_where(deployment: Deployment, user: UserId) -> None:
    message = mail(plain="Please come.")
    message.add_alternative(INVITATION, subtype="calendar")
    found = Found(deployment, user, "invitation.eml", message.as_bytes()).passage("roof inspection")
    assert "Please come." in found
    assert [line for line in found.split("\n") if line][-6:] == SHOWN_INVITATION

    alone = Found(deployment, user, "visit.ics", INVITATION.encode()).passage("roof inspection")
    assert [line for line in alone.split("\n") if line] == SHOWN_INVITATION


def test_a_page_saved_as_one_file_is_read(deployment: Deployment, user: UserId) -> None:
    content = (
        b"From: <Saved by Blink>\nSubject: Portal\nMIME-Version: 1.0\n"
        b'Content-Type: multipart/related; boundary=a; type="text/html"\n\n'
        b"--a\nContent-Type: text/html\nContent-Location: https://example.org/\n\n<h1>Walrus cover</h1>\n"
        b"--a\nContent-Type: text/css\nContent-Location: https://example.org/a.css\n\np {color: red}\n--a--\n"
    )
    found = Found(deployment, user, "portal.mht", content).passage("walrus")
    assert "# Walrus cover" in found
    assert "Attachments" not in found


def test_what_is_signed_in_one_piece_is_read_and_not_called_protected(deployment: Deployment, user: UserId) -> None:
    inner = mail(plain="The walrus is signed.")
    inner.add_attachment(b"Tusk;1\n", maintype="text", subtype="csv", filename="tusks.csv")
    for is_long in (False, True):
        message = EmailMessage()
        message["Subject"] = "Signed"
        message.set_content(
            signed(inner.as_bytes(), is_long=is_long), "application", "pkcs7-mime", filename="smime.p7m"
        )
        document = Found(deployment, user, f"{is_long}.eml", message.as_bytes())
        assert "The walrus is signed." in document.passage("walrus")
        assert status_of(deployment, document.document).warnings == {}


def signed(content: bytes, *, is_long: bool) -> bytes:
    """An envelope of signed data without any signature, in one of both spellings of lengths."""

    def part(tag: int, *values: bytes) -> bytes:
        value = b"".join(values)
        if is_long and tag & 0x20:
            return bytes([tag, 0x80]) + value + b"\0\0"
        return bytes([tag, 0x84]) + len(value).to_bytes(4) + value

    octets = part(0x24, part(0x04, content[:20]), part(0x04, content[20:])) if is_long else part(0x04, content)
    data = part(0x30, part(0x06, bytes.fromhex("2a864886f70d010701")), part(0xA0, octets))
    signed_data = part(0x30, part(0x02, b"\x01"), part(0x31), data, part(0x31))
    return part(0x30, part(0x06, bytes.fromhex("2a864886f70d010702")), part(0xA0, signed_data))


def test_what_outlook_wraps_into_a_file_of_its_own_is_unwrapped(deployment: Deployment, user: UserId) -> None:
    message = mail(plain="See below.")
    message.add_attachment(wrapped(), maintype="application", subtype="ms-tnef", filename="winmail.dat")
    document = Found(deployment, user, "wrapped.eml", message.as_bytes())
    drain_all(deployment)

    found = document.passage("walrus thatch")
    assert "Der Walross-Schaden beträgt 900 €." in found
    assert "winmail" not in found
    assert files_found(deployment, user, "thatched roof") == ["Gutachten Größe.txt"]
    assert status_of(deployment, document.document).warnings == {}


def wrapped() -> bytes:
    def attribute(level: int, name: int, value: bytes) -> bytes:
        return struct.pack("<BII", level, name, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)

    def text(name: int, value: str) -> bytes:
        encoded = f"{value}\0".encode("utf-16-le")
        return struct.pack("<HHII", 0x1F, name, 1, len(encoded)) + encoded + bytes(-len(encoded) % 4)

    number = struct.pack("<HHI", 3, 0x0E07, 1)
    named = struct.pack("<HH16sIII", 3, 0x8001, bytes(16), 0, 5, 1)
    properties = struct.pack("<I", 3) + number + named + text(0x1000, "Der Walross-Schaden beträgt 900 €. ")
    return b"".join(
        [
            struct.pack("<IH", 0x223E9F78, 1),
            attribute(1, 0x69003, properties),
            attribute(2, 0x69002, bytes(14)),
            attribute(2, 0x18010, b"GUTACH~1.TXT\0"),
            attribute(2, 0x6800F, b"A thatched roof beyond repair."),
            attribute(2, 0x69005, struct.pack("<I", 1) + text(0x3707, "Gutachten Größe.txt")),
        ]
    )


@pytest.mark.timeout(20)
def test_a_damaged_wrapper_is_an_attachment_or_gives_what_it_holds() -> None:
    whole = wrapped()
    for end in range(len(whole)):
        unwrapped(whole[:end] + b"\xff" * (end % 7))

"""Notices as JSON, as Slack's incoming webhooks take them, and as the workflows of Microsoft Teams do."""

from collections.abc import Callable, Mapping
from typing import Any

from ingest_assets.domain.alerting.conditions import Severity
from ingest_assets.domain.alerting.notices import Notice

HEADER, SECTION, FIELDS = 150, 3000, 10
"""The most characters of Slack's headers and sections, and the most fields of one section."""
MARKS = {Severity.CRITICAL: "\N{LARGE RED CIRCLE}", Severity.WARNING: "\N{LARGE YELLOW CIRCLE}"}
QUIET = "\N{LARGE GREEN CIRCLE}"
COLORS = {Severity.CRITICAL: "Attention", Severity.WARNING: "Warning"}


def as_json(notice: Notice) -> dict[str, Any]:
    return dict(notice.data)


def as_slack(notice: Notice) -> dict[str, Any]:
    """Return a text for notifications, and blocks for the message itself."""
    headline = f"{MARKS.get(notice.severity, QUIET) if notice.severity else QUIET} {notice.headline}"
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _cut(headline, HEADER), "emoji": True}}
    ]
    blocks += [_section(_escaped(text)) for text in notice.paragraphs]
    fields = [f"*{_escaped(name)}*\n{_escaped(value)}" for name, value in notice.facts]
    blocks += [
        {"type": "section", "fields": [_markdown(field, 2000) for field in fields[begin : begin + FIELDS]]}
        for begin in range(0, len(fields), FIELDS)
    ]
    blocks += [_section(f"```{_escaped(command)}```") for command in notice.commands]
    return {"text": _escaped(headline), "blocks": blocks}


def as_teams(notice: Notice) -> dict[str, Any]:
    """Return a message with an Adaptive Card."""
    color = COLORS.get(notice.severity, "Good") if notice.severity else "Good"
    body: list[dict[str, Any]] = [
        _text_block(notice.headline, size="Large", weight="Bolder", color=color),
        *(_text_block(text) for text in notice.paragraphs),
        {"type": "FactSet", "facts": [{"title": name, "value": value} for name, value in notice.facts]},
        *(_text_block(command, fontType="Monospace") for command in notice.commands),
    ]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


FORMATS: Mapping[str, Callable[[Notice], dict[str, Any]]] = {"json": as_json, "slack": as_slack, "teams": as_teams}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _markdown(text, SECTION)}


def _markdown(text: str, most: int) -> dict[str, str]:
    return {"type": "mrkdwn", "text": _cut(text, most)}


def _text_block(text: str, **looks: str) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True, **looks}


def _escaped(text: str) -> str:
    """Return the text with the three characters replaced that Slack reads as its own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"

"""Notices have the shapes that Slack and Teams document, with what people need in them."""

from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from ingest_assets.adapters.notice_formats import FORMATS, as_slack, as_teams
from ingest_assets.domain.alerting.conditions import Severity
from ingest_assets.domain.alerting.notices import Notice
from ingest_assets_tests.contracts.alerting_contract import ALERT

PLAIN_TEXT = {
    "type": "object",
    "required": ["type", "text"],
    "properties": {
        "type": {"const": "plain_text"},
        "text": {"type": "string", "minLength": 1, "maxLength": 3000},
        "emoji": {"type": "boolean"},
    },
    "additionalProperties": False,
}
MARKDOWN = {
    "type": "object",
    "required": ["type", "text"],
    "properties": {"type": {"const": "mrkdwn"}, "text": {"type": "string", "minLength": 1, "maxLength": 3000}},
    "additionalProperties": False,
}
# https://api.slack.com/messaging/webhooks and https://api.slack.com/reference/block-kit/blocks: header, section
SLACK: dict[str, Any] = {
    "type": "object",
    "required": ["text", "blocks"],
    "properties": {
        "text": {"type": "string", "minLength": 1},
        "blocks": {
            "type": "array",
            "maxItems": 50,
            "items": {
                "oneOf": [
                    {
                        "required": ["type", "text"],
                        "properties": {
                            "type": {"const": "header"},
                            "text": {"allOf": [PLAIN_TEXT, {"properties": {"text": {"maxLength": 150}}}]},
                        },
                        "additionalProperties": False,
                    },
                    {
                        "required": ["type"],
                        "anyOf": [{"required": ["text"]}, {"required": ["fields"]}],
                        "properties": {
                            "type": {"const": "section"},
                            "text": MARKDOWN,
                            "fields": {
                                "type": "array",
                                "minItems": 1,
                                "maxItems": 10,
                                "items": {"allOf": [MARKDOWN, {"properties": {"text": {"maxLength": 2000}}}]},
                            },
                        },
                        "additionalProperties": False,
                    },
                ]
            },
        },
    },
    "additionalProperties": False,
}
# https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
# (Adaptive Cards through a workflow) and https://adaptivecards.io/explorer: AdaptiveCard, TextBlock, FactSet
TEAMS: dict[str, Any] = {
    "type": "object",
    "required": ["type", "attachments"],
    "properties": {
        "type": {"const": "message"},
        "attachments": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "required": ["contentType", "content"],
                "properties": {
                    "contentType": {"const": "application/vnd.microsoft.card.adaptive"},
                    "contentUrl": {"type": "null"},
                    "content": {
                        "required": ["type", "version", "body"],
                        "properties": {
                            "$schema": {"const": "http://adaptivecards.io/schemas/adaptive-card.json"},
                            "type": {"const": "AdaptiveCard"},
                            "version": {"enum": ["1.2", "1.3", "1.4", "1.5"]},
                            "body": {
                                "type": "array",
                                "minItems": 1,
                                "items": {
                                    "oneOf": [
                                        {
                                            "required": ["type", "text"],
                                            "properties": {
                                                "type": {"const": "TextBlock"},
                                                "text": {"type": "string"},
                                                "wrap": {"type": "boolean"},
                                                "size": {"enum": ["Default", "Small", "Medium", "Large", "ExtraLarge"]},
                                                "weight": {"enum": ["Default", "Lighter", "Bolder"]},
                                                "color": {
                                                    "enum": [
                                                        "Default",
                                                        "Dark",
                                                        "Accent",
                                                        "Good",
                                                        "Warning",
                                                        "Attention",
                                                    ]
                                                },
                                                "fontType": {"enum": ["Default", "Monospace"]},
                                            },
                                            "additionalProperties": False,
                                        },
                                        {
                                            "required": ["type", "facts"],
                                            "properties": {
                                                "type": {"const": "FactSet"},
                                                "facts": {
                                                    "type": "array",
                                                    "items": {
                                                        "required": ["title", "value"],
                                                        "properties": {
                                                            "title": {"type": "string"},
                                                            "value": {"type": "string"},
                                                        },
                                                        "additionalProperties": False,
                                                    },
                                                },
                                            },
                                            "additionalProperties": False,
                                        },
                                    ]
                                },
                            },
                        },
                        "additionalProperties": False,
                    },
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}


def validate(payload: dict[str, Any], schema: dict[str, Any]) -> None:
    Draft202012Validator(schema).validate(payload)


LONG = Notice("h" * 400, Severity.CRITICAL, ("p" * 5000,), (("name", "v" * 3000),) * 23, ("c" * 4000,), {})
NOTICES = {"alert": ALERT.notice, "cleared": replace(ALERT, cleared=True).notice, "long": LONG}


@pytest.mark.parametrize("notice", NOTICES.values(), ids=NOTICES)
def test_slack_takes_it(notice: Notice) -> None:
    validate(as_slack(notice), SLACK)


@pytest.mark.parametrize("notice", NOTICES.values(), ids=NOTICES)
def test_teams_takes_it(notice: Notice) -> None:
    validate(as_teams(notice), TEAMS)


@pytest.mark.parametrize(("schema", "other"), [(SLACK, as_teams), (TEAMS, as_slack)])
def test_the_shapes_are_told_apart(schema: dict[str, Any], other: Any) -> None:
    with pytest.raises(ValidationError):
        validate(other(ALERT.notice), schema)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_says_what_is_wrong_how_bad_it_is_and_what_helps(form: str) -> None:
    told = str(FORMATS[form](ALERT.notice))
    for words in ("Documents have become dead letters", "warning", "A scan.", "ingest submit --code needs_ocr"):
        assert words in told
    cleared = replace(ALERT, cleared=True).notice
    assert "leared" in str(FORMATS[form](cleared))


def test_slack_reads_no_text_as_its_own_markup() -> None:
    told = str(as_slack(Notice("<!channel> & more", None, ("<http://x|y>",), (("a<b", "c>d"),), ("a < b",), {})))
    assert "<http" not in told
    assert "c&gt;d" in told

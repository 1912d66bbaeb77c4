"""Services that tell in their errors what they were sent, and more: as real ones may."""

import json
from dataclasses import replace

from ingest_assets_tests.emulators.llamaparse import LlamaParseEmulator
from ingest_assets_tests.emulators.openai import OpenAIEmulator
from ingest_assets_tests.emulators.server import Reply, Request, json_reply

REFUSED, FAILING = b"refused clause", b"failing clause"
"""Requests with these words are answered 400, and 500 the first time."""


class TellingOpenAI(OpenAIEmulator):
    def __init__(self, word: str, key: str) -> None:
        super().__init__(keys=[key])
        self._word = word
        self.failed = 0
        self.occasions: set[str] = set()
        """What callers named their requests."""

    def answer(self, request: Request) -> Reply:
        self.occasions.add(request.headers.get("x-client-request-id", ""))
        reply = super().answer(request)
        if REFUSED in request.body:
            reply = self._error(400, request)
        elif FAILING in request.body and not self.failed:
            self.failed += 1
            reply = self._error(500, request)
        return replace(reply, headers={**reply.headers, "x-request-id": f"req for {self._word}"})

    def _error(self, status: int, request: Request) -> Reply:
        told = f"{self._word} {request.headers} {request.body.decode()}"
        return json_reply(status, {"error": {"message": told, "type": self._word, "param": told, "code": told}})


class TellingLlamaParse(LlamaParseEmulator):
    def __init__(self, word: str, key: str) -> None:
        super().__init__(keys=[key], pending_polls=0)
        self._word = word
        self.busy = 1

    def answer(self, request: Request) -> Reply:
        if self.busy:
            self.busy -= 1
            return json_reply(503, {"detail": f"{self._word} {request.headers} {request.body!r}"})
        reply = super().answer(request)
        answer = json.loads(reply.body)
        if answer.get("error_message"):
            answer["error_message"] = answer["error_code"] = f"{answer['error_code']} {self._word}"
        return json_reply(reply.status, answer, {"x-request-id": self._word})

"""Secrets are taken out of every document before it is written: known token shapes by detect-secrets, and values whose
name says what they are. Entropy guesses are not used: commit hashes and record ids would be their first victims."""

from __future__ import annotations

import re
from functools import cache

MARK = "[secret removed]"
_NAMED = re.compile(
    r"(?i)([\w-]*(?:api[-_]?key|secret|passwd|password|token|credential|private[-_]?key)[\w-]*[\"']?\s*(?:=|:|->)\s*)"
    r"([\"']?)([^\s\"',;}|]{6,})\2"
)
_HARMLESS = re.compile(r"(?i)^(true|false|none|null|[-+]?[\d.,e+-]+)$")
_COUNTED = re.compile(
    r"(?i)(num|n|max|min|total|per|seen|tokens)[-_]?tokens?|tokens[-_/]|token[-_](?:id|count|type)|tokenizer"
)
_URL = re.compile(r"([a-zA-Z][\w+.-]*://[^\s:/@]+:)([^\s@/]+)(@)")
_KEY_BLOCK = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S)


def redact(text: str) -> str:
    """`text` with secrets replaced by a mark."""
    text = _KEY_BLOCK.sub(MARK, text)
    text = _URL.sub(rf"\1{MARK}\3", text)
    text = _NAMED.sub(_mask_named, text)
    return "".join(_mask_tokens(line) for line in text.splitlines(keepends=True))


def _mask_named(found: re.Match[str]) -> str:
    name, quote, value = found.groups()
    if _HARMLESS.match(value) or _COUNTED.search(name) or value.startswith(MARK[:7]):
        return found.group(0)
    return f"{name}{quote}{MARK}{quote}"


@cache
def _detectors() -> tuple[object, ...]:
    from detect_secrets.plugins import (
        aws,
        discord,
        github_token,
        gitlab_token,
        jwt,
        npm,
        openai,
        pypi_token,
        sendgrid,
        slack,
        square_oauth,
        stripe,
        telegram_token,
        twilio,
    )

    return (
        aws.AWSKeyDetector(), discord.DiscordBotTokenDetector(), github_token.GitHubTokenDetector(),
        gitlab_token.GitLabTokenDetector(), jwt.JwtTokenDetector(), npm.NpmDetector(), openai.OpenAIDetector(),
        pypi_token.PypiTokenDetector(), sendgrid.SendGridDetector(), slack.SlackDetector(),
        square_oauth.SquareOAuthDetector(), stripe.StripeDetector(), telegram_token.TelegramBotTokenDetector(),
        twilio.TwilioKeyDetector(),
    )  # fmt: skip


def _mask_tokens(line: str) -> str:
    for detector in _detectors():
        for found in set(detector.analyze_string(line)):  # type: ignore[attr-defined]
            if found:
                line = line.replace(found, MARK)
    return line

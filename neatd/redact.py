"""Secrets are taken out of every document before it is written: token shapes, those of detect-secrets among them, and
values whose name says what they are. No entropy guesses: commit hashes and record ids would be their first victims."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

MARK = "[secret removed]"
# Lengths are bounded and names begin where a word does, so that no text makes the search quadratic.
_SECRET = r"[\w-]{0,40}?(?:api[-_]?key|secret|passw(?:or)?d|token|credential|private[-_]?key)[\w-]{0,40}"
_NAME = rf"(?<![\w-]){_SECRET}"
_VALUE = r"(?:\"[^\"\n]{6,}\"|'[^'\n]{6,}'|[^\s\"']{6,})"
_ASSIGNED = re.compile(rf"(?i)({_NAME}[\"'`*]*[ \t]*(?:=|:|->)[`*]*[ \t]*)({_VALUE})")
_OPTION = re.compile(rf"(?i)((?<![\w-])--{_SECRET}[ \t]+)((?!-){_VALUE})")
_CHANGED = re.compile(rf"(?i)({_NAME}[ \t]+)({_VALUE})([ \t]+->[ \t]+)({_VALUE})")  # a parameter against the baseline's
_HARMLESS = re.compile(r"(?i)^(true|false|none|null|[-+]?\d[\d.,_e+-]*[kmbgt]?|<.*)$")
_WORD = re.compile(r"^[a-z][a-z_-]*$")  # "the next token: embeddings"; a real token has digits or capitals
_PASSWORD = re.compile(r"(?i)passw|key|credential")
# Tokens that a language model counts and makes are no secrets.
_COUNTED = re.compile(
    r"(?i)(num|n|max|min|total|per|seen|new|pad|eos|bos|eot|unk|mask|sep|cls|special|image|input|output|prompt|stop)"
    r"[-_]?tokens?|tokens[-_/]|token[-_](?:id|count|type|emb|drop)|tokeni[sz]"
)
_URL = re.compile(r"((?<![\w+.-])[a-zA-Z][\w+.-]{0,30}://[^\s:/@]{0,100}:)([^\s/]{1,200})(@)")
# A block that was cut off ends with its line, or with the last line that is nothing but base64.
_KEY_BLOCK = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:(?:(?!-----BEGIN).)*?-----END [A-Z ]*PRIVATE KEY-----"
    r"|[^\n]*(?:\n[ \t]*[A-Za-z0-9+/=]{16,}[ \t]*$)*)",
    re.S | re.M,
)
# Shapes that detect-secrets 1.5 does not know, or knows only in part.
_SHAPES = (
    r"(?<![\w-])sk-(?=[\w-]*\d)[\w-]{20,}",  # OpenAI, Anthropic
    r"(?<!\w)hf_[A-Za-z0-9]{20,}",
    r"(?<!\w)github_pat_\w{22,}",
    r"(?<!\w)AIza[\w-]{35}",  # Google
    r"(?<!\w)npm_[A-Za-z0-9]{36}",
    r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?",  # a JWT with its signature
    r"(?i:(?<=bearer )[\w.~+/=-]{16,})",
)


def redact(text: str) -> str:
    """`text` with secrets replaced by a mark."""
    text = _KEY_BLOCK.sub(MARK, text)
    text = _URL.sub(rf"\1{MARK}\3", text)
    text = _CHANGED.sub(lambda f: f"{f[1]}{_masked(f[1], f[2])}{f[3]}{_masked(f[1], f[4])}", text)
    for named in (_ASSIGNED, _OPTION):
        text = named.sub(lambda f: f[1] + _masked(f[1], f[2]), text)
    for shape in _shapes():
        text = shape.sub(MARK, text)
    return text


def redact_value(value: Any) -> Any:
    """Text, lists and objects without secrets; an object's value is judged by its name too. Tuples become lists."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list | tuple):
        return [redact_value(one) for one in value]
    if isinstance(value, dict):
        return {redact(str(name)): _named(str(name), one) for name, one in value.items()}
    return value


def _named(name: str, value: Any) -> Any:
    """A value with its name before it, as a person would have written it: `api_key=…`."""
    if not isinstance(value, str) or not value:
        return redact_value(value)
    return redact(f"{name}={value}").removeprefix(f"{name}=") if redact(value) == value else redact(value)


def _masked(name: str, value: str) -> str:
    """The mark for a value with this name, in its quotes and before what ends it; a harmless value as it is."""
    quote = value[0] if value[0] in "\"'" else ""
    bare = value.strip(quote) if quote else value.rstrip(".,;:)}]|`*")
    is_plain = _HARMLESS.match(bare) or (_WORD.match(bare) and not _PASSWORD.search(name))
    if is_plain or len(bare) < 6 or _COUNTED.search(name) or bare.startswith(MARK[:7]):
        return value
    return value.replace(bare, MARK)


@cache
def _shapes() -> tuple[re.Pattern[str], ...]:
    """Every token shape. The patterns are applied here and not by detect-secrets, which reports only the group of a
    pattern that has one: of a GitHub token the three letters `ghp`. Its npm and OpenAI patterns are quadratic."""
    from detect_secrets.plugins import (
        aws,
        discord,
        github_token,
        gitlab_token,
        pypi_token,
        sendgrid,
        slack,
        square_oauth,
        stripe,
        telegram_token,
        twilio,
    )

    detectors = (
        aws.AWSKeyDetector, discord.DiscordBotTokenDetector, github_token.GitHubTokenDetector,
        gitlab_token.GitLabTokenDetector, pypi_token.PypiTokenDetector,
        sendgrid.SendGridDetector, slack.SlackDetector, square_oauth.SquareOAuthDetector, stripe.StripeDetector,
        telegram_token.TelegramBotTokenDetector, twilio.TwilioKeyDetector,
    )  # fmt: skip
    theirs = [pattern for one in detectors for pattern in one().denylist]
    return (*map(re.compile, _SHAPES), *theirs)

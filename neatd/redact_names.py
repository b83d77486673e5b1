"""Names that say secret, and where the value stands: `API_KEY=…`, `"token": "…"`, `--secret …`, `the password is …`.

Holds no shapes of keys; what a value must look like is in `redact_values.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from neatd.redact_shapes import HOLE, aligned_lower, words
from neatd.redact_values import KEY, PASSWORD, TOKEN, is_secret

_LOOK_BACK = 60  # characters before "key" or "token" that may belong to the name
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_NAME_LETTERS = _LETTERS + "0123456789_.-"
# What must stand before "key" to make it one that opens something: not primary, sort, cache, attention, foreign.
_OPENS = ("api", "access", "secret", "private", "account", "auth", "client", "service")
_OPENERS = frozenset(
    words(
        """
        priv master signing sign encryption encrypt decryption storage subscription license licence deploy shared preshared
        application app admin db database bot kaggle wandb comet neptune clearml mlflow openai anthropic claude gemini
        google gcp azure aws mistral cohere groq xai perplexity openrouter together elevenlabs replicate huggingface hf
        vast vastai lambda runpod vultr linode hetzner primeintellect prime cloudflare digitalocean heroku modal fal jina
        voyage pinecone tavily serp serper datadog sentry github gitlab docker npm stripe twilio sendgrid mailgun slack
        discord telegram fernet jwt hmac session cookie webhook ssh gpg pgp tls ssl rsa aes crypt django flask
        """
    )
)
_CORE = (
    r"(?P<password>passw(?:or)?[dt]s?|passwd|pass[ _-]?phrase|passcode|pwd|pw(?<![a-z]pw)(?![a-z])|kennwort|contrase[nñ]a)"
    r"|(?P<key>key(?<=[a-z_. -]key)s?|secrets?|credentials?)"
    r"|(?P<token>tokens?|auth(?<![a-z]auth)(?![a-z])|pass(?:(?<![a-z]pass)|(?<=dbpass)|(?<=databasepass)|(?<=keypass)|(?<=rootpass)|(?<=userpass))(?![a-z]))"
)
_HAVE_PASSWORDS = ("db", "database", "key", "root", "user", "admin", "smtp", "ftp", "redis", "mysql", "ssh", "sudo")
# Between name and value: `value:`, a typed or plain sign, an arrow, a table's bar, a call's comma, a word of prose, spaces,
# the end of a tag.
_SEPARATOR = (
    r",?\s{0,40}\\?[\"']?value\\?[\"']?[ \t]{0,9}[:=]"
    r"|[ \t]{0,20}(?::[ \t]{0,9}(?:str|string|optional\[str\]|secretstr|any)(?:[ \t]{0,9}\|[ \t]{0,9}none)?[ \t]{0,9}=(?!=)"
    r"|:=|[=!]=+|[=-]>|→|[=:])"
    r"|[ \t]{0,40}\|(?!\|)|,(?=[ \t]{0,9}\\?[\"'])"
    r"|(?:[ \t]{1,9}(?:for|of|on)[ \t]{1,9}[\w.@/-]{1,60})?[ \t]{1,9}(?:is|was|to)[ \t]{1,9}(?:now[ \t]{1,9})?"
    r"|[ \t]{1,20}(?=\S{0,200}?[\d!@#$%^&*=+~?]|\S{16}|\S{1,100}[ \t]{1,9}(?:->|→))|(?<=>)(?=[^<\n]{1,300}</)"
)
_NAMED = rf"(?:{_CORE})(?P<tail>(?:[\w.]|-(?!>)){{0,60}}+)(?P<deco>[\\\"'`*\])>}}]{{0,8}}+)(?P<sep>{_SEPARATOR})"
# Tokens that a language model counts and makes are no secrets.
_COUNTED = (
    r"(?:^|[-_.])(?:num|n|max|min|total|per|seen|new|pad|eos|bos|eot|eod|unk|mask|sep|cls|special|image|video|audio|input"
    r"|output|prompt|completion|stop|start|end|context|batch|train|trained|budget|mean|avg|added|extra|pred|target|source"
    r"|next|last|first|cached|reasoning|visual|text|byte|sub)[-_]?tokens?(?![a-z])|tokens[-_/]|token[-_](?:id|ids|count|type"
    r"|emb|drop|len|budget|level|mix|shift|merg|limit|index|loss|acc|rate|per)|tokeni[sz]|tokenlen"
)
# A name that goes on like this tells of the secret and is not it; nor are files of that name.
_ABOUT = frozenset(
    words(
        """
        file path dir folder len length size count policy name type field format env var variable prompt required enabled
        version url uri endpoint expiry expires expiration ttl manager reset less changed strength attempts rotation dim
        dims header column store provider ref mode scope scopes regex pattern patterns usage hint help bucket txt json py
        yaml yml md pem log csv toml cfg ini sh
        """
    )
)
_ENDINGS = frozenset(words("s id ids value val hex data base raw plain encoded b string str"))  # without a joint
_OPEN = r"[rbfuRBFU@]{0,2}(?P<quote>\\*(?:\"\"\"|'''|[\"'`]))"
# Where an unquoted value ends before the next space: at the next name, at a quote that closes, at a closing tag.
_NEXT = r"[,;&](?=\\?[\"']?[A-Za-z_][\w.-]{0,60}\\?[\"']?[=:])|\\?[\"'](?=[,;)}\]])|</"
# Before a value: bold that ends, the next line of a YAML block or of a quoted value, a bracket.
_GAP = (
    r"(?:[*`]{1,3}(?=[ \t]))?[ \t]{0,40}(?:[|>][-+]?[ \t]{0,9}\r?\n[ \t]{0,40}|\\?\r?\n[ \t]{0,40}(?=[\"'])"
    r"|(?P<list>\[)\s{0,40}(?=[\"'])|\()?"
)
_MORE = r"[\\\"'`]{0,4}[ \t]{0,9}(?P<sign>->|→|=>|,)\s{0,40}(?=\S)"
_PROSE = r"[A-Z]?[a-z]+ [a-z]+"  # `:param api_key: Secret of the account`
_SET = r"(?:\bset\w*|\benv|\barg|-[gxul]{1,3})[ \t]+$"  # setx, setenv, set -gx, Docker's ENV and ARG


class _Name(NamedTuple):
    """A name in a text that promises a secret, and how its value is said: by a sign, in prose, after a space …"""

    degree: str
    text: str  # in small letters
    way: str


@cache
def _re(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def redact_named(text: str) -> str:
    """`text` with a hole for each value whose name says what it is."""
    low, search = aligned_lower(text), _re(_NAMED).search
    kept: list[str] = []
    end = at = 0
    while found := search(low, at):
        name = _name(low, found)
        at = found.end() if name else found.start("tail")  # another name may begin in its tail: key_pass
        for start, stop in _values(text, at, name) if name else ():
            kept += [text[end:start], HOLE]
            end = at = stop
    return "".join([*kept, text[end:]]) if kept else text


def is_secret_value(name: str, value: str) -> bool:
    """Whether `value`, the whole of a field called `name`, is a secret."""
    low, at = aligned_lower(name) + "=", 0
    while found := _re(_NAMED).search(low, at):
        at = found.start("tail")
        known = _name(low, found) if found.end() == len(low) else None
        if known:
            return is_secret(value.strip(), known.degree, known.text)
    return False


def _name(low: str, found: re.Match[str]) -> _Name | None:
    """The name that was found; None when it names no secret after all: `max_tokens`, `sort_key`, `password_file`."""
    kind = PASSWORD if found[PASSWORD] else KEY if found[KEY] else TOKEN
    before, core, tail = low[max(0, found.start() - _LOOK_BACK) : found.start()], found[kind], found["tail"]
    if core.startswith("key") and not _opens(before):
        return None
    if core == "pass" and before.rstrip("_-").endswith(_HAVE_PASSWORDS) and not before.endswith(" "):
        kind = PASSWORD
    elif core == "pass" and found["sep"].strip(" \t") in ("", "to", "is", "was"):
        return None
    if tail:
        first, *rest = re.split(r"[-_.]+", tail)
        if first in _ABOUT or not _ABOUT.isdisjoint(rest):
            return None
        if first and kind != PASSWORD and first not in _ENDINGS and not first.isdigit():
            return None
    head = before[len(before.rstrip(_NAME_LETTERS)) :]
    if kind == TOKEN and _re(_COUNTED).search(head + core + tail):
        return None
    way = _way(low, found, before, head)
    if ("." in tail and way == " ") or (kind == PASSWORD and tail and way == ","):
        return None
    if ")" in found["deco"] and low[found.end() : found.end() + 1] in ("\r", "\n"):
        return None  # a function's head, and its docstring
    if way == "," and low[found.start() - len(head) - 1 : found.start() - len(head)] not in ("'", '"'):
        return None
    if (core.startswith("key") and before.endswith(" ")) or core in ("secrets", "credentials"):
        kind = TOKEN  # "API keys: 3 of them", "Secrets: see #17"
    return _Name(kind, head + core + tail, way)


def _opens(before: str) -> bool:
    """Whether the word before "key" makes it the key to something."""
    bare = before[:-1] if before[-1:] in "-_. " else before
    word = bare[len(bare.rstrip(_LETTERS)) :]
    return word in _OPENERS or word.endswith(_OPENS)


def _way(low: str, found: re.Match[str], before: str, head: str) -> str:
    """How the value is said: "" by a sign or as an option's, else "is", "|", "," or " ", which want more of it."""
    separator = found["sep"].strip()
    if separator in ("|", ","):
        return separator
    if separator:
        return "is" if _re(r"(?:is|was|to)(?: now)?$").search(separator) else ""
    is_tag = not found["sep"] and low[found.start() - len(head) - 1 : found.start()].startswith("<")
    is_set = head.startswith("--") or _re(_SET).search(before[: len(before) - len(head)])
    return "" if is_tag or is_set else " "


def _values(text: str, at: int, name: _Name) -> Iterator[tuple[int, int]]:
    """The places of the secrets that follow a name: one, or those of a list, or the old and the new one."""
    gap, is_listed = _re(_GAP).match(text, at), text[at - 1 : at] == ":"
    at = gap.end() if gap else at
    while True:
        opened = _re(_OPEN).match(text, at)
        start = opened.end() if opened else at
        stop = _closing(text, start, opened["quote"]) if opened else -1
        is_quoted = stop >= 0
        if not is_quoted:
            stop = _unquoted(text, start, name)
        value = text[start:stop]
        more = _re(_MORE).match(text, stop)
        arrow = more is not None and more["sign"] != ","
        if (name.way == "," and not is_quoted) or (value.startswith("-") and name.way == " "):
            return
        name = name._replace(way="") if arrow else name  # `token OLD -> NEW`: a parameter against the baseline's
        if is_listed and not is_quoted and name.degree == KEY and _re(_PROSE).match(text, start):
            return
        is_known = HOLE in value  # the shape of it told already, or of a part
        if not value or not (is_known or is_secret(value, name.degree, name.text, name.way, is_quoted)):
            return
        if value[0] != HOLE:
            yield start, stop
        if more is None or not (arrow or (gap and gap["list"] and is_quoted)):
            return
        at = more.end()


def _closing(text: str, start: int, quote: str) -> int:
    """Where a quoted value ends; -1 when nothing closes it on its line."""
    at = text.find(quote, start)
    while at > start and len(quote) == 1 and (at - len(text[start:at].rstrip("\\")) - start) % 2:
        at = text.find(quote, at + 1)  # it is escaped
    return at if at >= 0 and "\n" not in text[start:at] else -1


def _unquoted(text: str, start: int, name: _Name) -> int:
    """Where an unquoted value ends: at a space, at the next name; a phrase at the end of its line."""
    is_phrase = "phrase" in name.text and name.way == ""
    found = _re(r"[^\n]*" if is_phrase else r"\S*").match(text, start)
    value = found[0] if found else ""
    following = _re(_NEXT).search(value)
    value = value[: following.start()] if following else value
    return start + len(value.rstrip(" \t\r.,;:)}]|`*\"'>\\"))

"""What a value must look like to be the secret that its name promises. Holds no names and no shapes of keys.

Three degrees: a password may be anything, a key is no number and no path, a token must look random, because a language
model counts tokens all day.
"""

from __future__ import annotations

import re
import string
from functools import cache

from neatd.redact_shapes import has_mixed_case, words

PASSWORD, KEY, TOKEN = "password", "key", "token"
LEAST = {PASSWORD: 4, KEY: 6, TOKEN: 8}  # characters
LEAST_SAID = {"": 8, "|": 8, ",": 8, "is": 12, " ": 16}  # of a token, by what stands between its name and it
LONGEST_HARMLESS = 300  # characters: what is longer without a space is no word, whatever it looks like
_STOP = frozenset(
    words(
        """
        required optional string str text type field reset missing empty wrong invalid incorrect changed expired unknown
        hidden prompt see ask stored set unset default defaults redacted removed masked the a an in on is not from and or
        via by with without using protected rotated needed manager only same generated random changeme your yes no off
        true false none null nil undefined tbd todo n/a basic bearer oauth oauth2 jwt saml ldap sso int float bool bytes
        object array list dict
        """
    )
)
_PROSE = frozenset(string.ascii_letters + "_-'\".,;:|()[]/\\")  # a word in a sentence, with what stands around it
_NUMBER = r"[-+~≈]?\d[\d.,:_e+/-]*\s?(?:[kmbgt]i?b?|ms|s|h|d|x|%)?$"
_CODE = (
    r"[A-Za-z_][\w.]*\(|[A-Za-z_]\w*\[|lambda\b"
    r"|(?:os|process|self|cls|args|cfg|config|settings|env|secrets|opts|params|ctx)\.\w"
)
_BLANK = r"<[^>]*>?$|\$\{|\$\(|\$[A-Z_][A-Z0-9_]*$|%\w+%$|\{|[*x.…•_-]+$|https?://[^@]*$"
_FILE = (
    r".*\.(?:pem|key|json|jsonl|txt|ya?ml|env|crt|cer|p12|pub|toml|ini|cfg|npy|pt|bin|model|csv|md|py|sh|netrc|db|pkl"
    r"|parquet)$"
)
_WORD = r"[A-Za-z]*\d{0,4}[A-Za-z]?|\d+[A-Za-z]{0,2}|[A-Za-z]{1,8}\d+k|o?\d+k|ed25519|[a-z]{2,12}[24][a-z]{2,12}"


@cache
def _re(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def is_secret(value: str, degree: str, name: str, way: str = "", is_quoted: bool = True) -> bool:
    """Whether `value` is what a name of this degree promises.

    `way` is what stands between them: "" a sign, "is" a word of prose, or "|", ",", " ", which all want more of it.
    """
    if len(value) < LEAST[degree]:
        return False
    if len(value) > LONGEST_HARMLESS and " " not in value:
        return True
    if value.lower().rstrip("!?") in _STOP or _re(_BLANK).match(value) or (not is_quoted and _re(_CODE).match(value)):
        return False
    if degree == TOKEN or way:
        return _looks_random(value, degree, way)
    if _is_path(value) or _is_variable(value):
        return False
    if degree == PASSWORD:
        return True
    # "The secret: patience" is prose, CLIENT_SECRET=patience is not.
    is_word = value.replace("-", "").replace("_", "").isalpha() and (value.islower() or value.istitle())
    return not _re(_NUMBER).match(value) and not (is_word and name in ("secret", "credential"))


def _looks_random(value: str, degree: str, way: str) -> bool:
    """Whether a value cannot be words, a number, a version or a path; of a password in prose a digit or a sign will do."""
    if _re(_NUMBER).match(value) or _is_path(value) or "=" in value.rstrip("=")[:-1]:
        return False
    if degree == PASSWORD:
        is_plain = not set(value) - _PROSE or (way == " " and _is_wordy(value))
        return len(value) >= 6 and not is_plain and any(map(str.isalpha, value))
    is_one_piece = _re(r"[\w.~+/=%:!@#$^&*-]+$").match(value) is not None
    return len(value) >= LEAST_SAID[way] and is_one_piece and not _is_wordy(value)


def _is_variable(value: str) -> bool:
    """Whether a value is another name of the same: `password=args.password`."""
    is_name = value.replace("_", "").replace(".", "").isalpha()
    return is_name and any(one in value.lower() for one in ("key", "token", "secret", "pass", "pwd", "credential"))


def _is_path(value: str) -> bool:
    parts = re.split(r"[/\\]", value)
    is_rooted = len(parts) > 1 and (parts[0] in ("", "~", ".", "..") or parts[0].endswith(":"))
    return (is_rooted or _re(_FILE).match(value) is not None) and all(map(_is_wordy, parts))


def _is_wordy(value: str) -> bool:
    """Whether a value is made of words, numbers and versions: bpe-large-v2, cl100k_base, 2026-03-01."""
    return all(_is_word(part) for part in re.split(r"[-_./:@+=~#%!$^&*]+", value))


def _is_word(part: str) -> bool:
    return _re(_WORD).fullmatch(part) is not None and not (len(part) > 11 and has_mixed_case(part))

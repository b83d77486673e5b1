"""The shapes of known secrets, as tables: where each begins, and what of it goes. Holds no judgement of names.

A row is (anchors, pattern, whether it reads small letters only). A pattern begins with its anchor and is tried only in
texts that hold it, so that a long text costs a search for plain words. Of a match the group `s` goes, or all of it; a
group `tail` must look random. Every repetition is bounded or ends its pattern: no text makes a row slow.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise


def words(text: str) -> tuple[str, ...]:
    """The words of a table."""
    return tuple(text.split())


HOLE = "\ufdd0"  # stands for a removed secret while patterns run: a character that no text may hold
LEAST = 8  # characters: no text that is shorter holds a secret with its name
LONG_WORD = 46  # characters of a word that may be a bot's token
ANCHOR = "{anchor}"  # in a pattern: the anchor at hand
# The same where a word begins: after what is no letter or digit, an escaped line end, a percent code. Looked at after
# the anchor, because a search for plain letters is a fast one.
_START = rf"{ANCHOR}(?:(?<![A-Za-z0-9]{ANCHOR})|(?<=\\[nrt]{ANCHOR})|(?<=%[0-9A-Fa-f]{{2}}{ANCHOR}))"
_BASE64 = r"[A-Za-z0-9+/=]"
_BREAK = r"(?:[\s>|*`]|\\+[nrt])"  # between the lines of a key: also in a quotation, a table cell, a JSON string
# What follows the first line of a key that is cut off: its headers, its lines, and a last one that is not whole.
KEY_BODY = (
    rf"(?:{_BREAK}{{0,40}}+(?:(?:Proc-Type|DEK-Info|Version|Comment|Charset|Hash|MessageID): ?[^\n\\\"]{{0,100}}"
    rf"|{_BASE64}{{16,}}))*+(?:{_BREAK}{{0,40}}+(?:(?=[A-Za-z+/]*[0-9+/=]){_BASE64}++"
    rf"|(?=[A-Z]{{2}}|[a-z]+[A-Z]){_BASE64}++(?=[ \t]*(?:[\r\n\\\"'`|…]|$))))?(?:…|\.\.\.)?"
)

KEY_BEGIN = r"-{4,5} ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}"
KEY_END = r"-{4,5} ?END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}"
KEY_MARKS = ("-----BEGIN", "---- BEGIN", "-----END", "---- END")
SHORT_KEY = 200  # characters between BEGIN and END: what is shorter goes without a look at it
LONGEST_KEY = 32 * 1024  # characters: the END of a longer one is not looked for, its lines go all the same

# Nothing else begins like these.
_PLAIN = words(
    """
    ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- gldt- glft- glsoat- glrt- glcbt- glimt- glptt- glagent- gloas- GR1348941
    dckr_pat_ dckr_oat_ dop_v1_ doo_v1_ dor_v1_ shpat_ shpss_ shpca_ shppa_ sk_live_ sk_test_ rk_live_ rk_test_ whsec_
    sq0atp- sq0csp- AGE-SECRET-KEY-1 nvapi- tskey- lin_api_ PMAK- pscale_tkn_ pscale_pw_ pscale_oauth_ glsa_ GOCSPX-
    ya29. rubygems_ lsv2_pt_ lsv2_sk_ pcsk_ KGAT_ ATATT3x ATCTT3x HRKU- NRAK- pplx- sk-ant- sk-or- sk-proj- sk-svcacct-
    sk-admin- tgp_v1_ wandb_v1_ hvs. hvb. hvr. AKCp
    """
)
# Words may begin like these too: what follows must look random.
_LIKELY = words("sk- sess- xai- pypi- tvly- sbp_ glc_ api_org_ ATBB ABSK LTAI")
# And code like these: what follows must be one long piece.
_WEAK = words(
    """
    hf_ gsk_ r8_ rpa_ pit_ npm_ fw_ ntn_ csk- key- sk_ rnd_ nfp_ pul- jina_ llx- fo1_ figd_ secret_ cio dapi EAAA AQVN
    """
)
_HEX_32 = r"(?<![0-9a-f])(?P<s>[0-9a-f]{32})(?![0-9a-f])"
_HEX_40 = r"(?<![0-9a-f])(?P<s>[0-9a-f]{40})(?![0-9a-f])"
_KAGGLE = (  # kaggle.json
    r"username\\*[\"']\s{0,9}:\s{0,9}\\*[\"'][^\"'\n]{0,80}[\"']\s{0,9},\s{0,9}"
    r"\\*[\"']key\\*[\"']\s{0,9}:\s{0,9}\\*[\"'](?P<s>[0-9a-f]{32})"
)
_AWS_SECRET = (  # the secret half of a key, beside its id
    ANCHOR + r"[0-9A-Z]{12,40}+(?![0-9A-Z])[\s\S]{1,100}?(?<![A-Za-z0-9/+=])(?=[a-z0-9/+]{0,39}[A-Z])"
    r"(?=[A-Z0-9/+]{0,39}[a-z])(?=[A-Za-z/+]{0,39}\d)(?P<s>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])"
)
_HEADER = r"authorization[\\\"'`*\]]{0,5}\s{0,4}[:=,]\s{0,4}[\\\"'`*]{0,5}"
_LOGIN = ANCHOR + r"\s+(?:--?[\w-]+(?:[= ]https?://\S{1,200})?\s+){0,6}(?P<s>(?P<tail>[\w.-]{16,}))"
_URL_PASSWORD = (
    r"://[^\s:/@]{0,100}:(?!\d{1,5}(?:[/?#\s]|$))"
    r"(?P<s>[^\s/\"'`<>|\\]{1,300}|(?!/)(?:(?!://)[^\s@\"'`<>|]){1,300}?)@"
)
# `user:password@host` without a scheme. Before an address nearly any password; before a name only what is no part of a
# mail address, an image's tag or a metric: eight characters, with a digit among letters or a sign.
_USER = r"(?<![\w.@:/-])(?!(?i:mailto|e-?mails?|contact|author|maintainer|from|to|cc|by):)[A-Za-z_][\w.-]{0,63}:"
_FILE = r"(?i:pth?|ckpt|ya?ml|jsonl?|csv|txt|onnx|bin|safetensors|np[yz]|h5|toml|log|ipynb)(?![\w-])"
_IP_LOGIN = _USER + r"(?!//|\d{1,5}@)(?P<s>[^\s/\"'`<>|\\\ufdd0]{4,128}?)@\d{1,3}(?:\.\d{1,3}){3}(?!\.?\w)"
_HOST_LOGIN = (
    _USER + r"(?!//)(?=[^\s@]{0,120}?(?:\d[A-Za-z]|[!#$%^&*+=~?]|@[^\s@]{1,100}@))(?P<s>[^\s/\"'`<>|\\\ufdd0]{8,128}?)"
    r"@(?:localhost|(?:[A-Za-z0-9][A-Za-z0-9-]{0,62}\.){1,8}(?!" + _FILE + r")[A-Za-z]{2,24})(?![\w-]|\.\w)"
)
_NETRC = (
    r"machine\s{1,9}\S{1,200}\s{1,40}login\s{1,9}\S{1,200}\s{1,40}(?:account\s{1,9}\S{1,200}\s{1,40})?"
    r"password\s{1,9}(?P<s>\S+)"
)
_PGPASS = r":(?:54\d\d|6432|\*):[\w*.-]{1,64}:[\w*.@-]{1,64}:(?P<s>[^\s:]{3,200})(?=\s|$)"
_PIPED = (
    r"echo\s{1,9}(?:-n\s{1,9})?(?P<s>'[^'\n]{1,200}'|\"[^\"\n]{1,200}\"|[^\s\"'|]{1,200})\s{0,9}\|\s{0,9}"
    r"(?:sudo\s+-S|\w+\s+(?:auth\s+)?login|(?:sudo\s+)?(?:ch)?passwd|cryptsetup|kinit)"
)
_COMMAND = r"(?:(?!{0})[^\n]){{0,300}}?\s"  # the words after a program's name, up to its next mention
_WORD = r"(?P<s>'[^'\n]*'|\"[^\"\n]*\"|[^\s'\"]+)"


def _command(program: str, option: str, value: str = _WORD) -> tuple[tuple[str, ...], str, bool]:
    return (program,), rf"{program}[\w.-]{{0,12}}" + _COMMAND.format(program) + option + value, False


ROWS: tuple[tuple[tuple[str, ...], str, bool], ...] = (
    # -- keys of clouds --
    (("AKIA", "ASIA"), _AWS_SECRET, False),
    (("AKIA", "ASIA", "ABIA", "ACCA", "A3T"), ANCHOR + r"[0-9A-Z]{12,}", False),
    (("IQoJ", "FwoG"), ANCHOR + r"[\w/+=%-]{60,}", False),
    (("AIza",), r"AIza[\w-]{30,}", False),
    (("1//0",), r"1//0(?<!\w1//0)[\w-]{24,}", False),
    (("Q~",), r"Q~(?<=\dQ~)[\w.~-]{24,}", False),  # Azure: a client secret
    (("sig=",), r"sig=(?<=[?&;\s\"']sig=)(?P<s>[\w%+/=-]{16,})", True),
    (("signature=", "x-amz-credential=", "x-amz-security-token="),
     ANCHOR + r"(?P<s>(?P<tail>[\w%+/=.-]{16,}))", True),
    (("v1.0-",), r"v1\.0-[0-9a-f]{24}-[0-9a-f]{40,}", False),
    (("FlyV1 ",), r"FlyV1\s+(?P<s>[\w+/=,-]{20,})", False),
    (("fm1_", "fm2_", "fm1a_", "fm1r_"), _START + r"[\w+/=-]{30,}", False),
    (("dp.pt.", "dp.st.", "dp.ct.", "dp.sa."), ANCHOR + r"[\w.-]{20,}", False),
    (("secret_",), r"secret_[\w-]{1,80}\.[A-Za-z0-9]{16,}", False),  # Lambda
    # -- assistants, trackers, services --
    (_PLAIN, ANCHOR + r"[A-Za-z0-9_.-]{12,}", False),
    (_LIKELY, _START + r"(?:[A-Za-z0-9]{20,}(?![\w-])|(?P<tail>[\w-]{12,}))", False),
    (_WEAK, _START + r"[A-Za-z0-9]{26,}", False),
    (("xox", "xapp"), ANCHOR + r"(?:[a-z]|e\.xox[bp])?-[A-Za-z0-9.-]{10,}", False),
    (("SG.",), r"SG\.[\w-]{16,}\.[\w-]{16,}", False),
    (("SK", "AC"), _START + r"[0-9a-f]{32}(?![A-Za-z0-9])", False),  # Twilio
    (("eyJ",), _START + r"(?:[\w-]{8,}+\.{1,2}[\w-]+(?:\.[\w-]*){0,4}|[A-Za-z0-9+/_=-]{60,})", False),  # JWT, Neptune
    (("username",), _KAGGLE, False),
    (("kaggle",), r"kaggle(?=[^\n]{0,90}?[0-9a-f]{32})[^\n]{0,60}?key[^\n]{0,20}?" + _HEX_32, True),
    (("wandb",), r"wandb(?=[^\n]{0,110}?[0-9a-f]{40})[^\n]{0,60}?(?:key|login|token|password)[^\n]{0,30}?" + _HEX_40, True),
    (("wandb",), r"wandb[\"'`*]{0,3}(?:[ \t]{1,4}|[ \t]{0,4}[:=][ \t]{0,4})[\"'`]{0,2}" + _HEX_40, True),
    (("wandb login", "comet login", "neptune login"), _LOGIN, True),
    (("login(",), r"login\(\s{0,9}[\"'](?P<s>(?P<tail>[^\"'\s]{12,}))[\"']", False),
    (("hooks.slack.com/",), r"hooks\.slack\.com/[a-z]{1,20}/(?P<s>[\w/-]{10,})", True),
    (("/webhooks/",), r"/webhooks/(?P<s>(?P<tail>[\w/-]{16,}))", True),  # Discord
    (("webhook.office.com/", "hooks.zapier.com/"), ANCHOR + r"(?P<s>[^\s\"'<>`)]{16,})", True),
    (("telegram.org/bot",), r"telegram\.org/bot(?P<s>[\w:%-]{16,})", True),
    (("$1$", "$2a$", "$2b$", "$2y$", "$5$", "$6$", "$apr1$", "$argon2id$", "$argon2i$"), ANCHOR + r"[^\s:\"'`|]{16,}", False),
    (("Private-Lines:",), rf"Private-Lines:\s*\d+(?P<s>{KEY_BODY})", False),  # PuTTY
    (("mnemonic", "seed phrase", "recovery phrase"),
     ANCHOR + r"[\"'`*]{0,4}\s{0,4}[:=]\s{0,4}[\"'`*]{0,4}(?P<s>[a-z]{3,8}(?:[ ,]+[a-z]{3,8}){11,23})", True),
    # -- addresses --
    (("://",), r"://(?P<s>(?P<tail>[\w.~%+-]{16,256}))(?::[^\s/@]{0,40})?@", False),  # a token where the user's name stands
    (("://",), _URL_PASSWORD, False),
    (("@",), _IP_LOGIN, False),
    (("@",), _HOST_LOGIN, False),
    # -- headers --
    (("authorization",), _HEADER +
     r"(?:bearer|basic|token|apikey|key|digest|bot|aws[\w-]{1,20})\s+(?![<${%\[])(?P<s>[^\s\"'`]{6,})", True),
    (("authorization",), _HEADER + r"(?![<${%\[]|https?:)(?P<s>(?P<tail>[^\s\"'`]{12,}))", True),
    (("bearer ",), r"bearer\s+(?P<s>(?P<tail>[\w.~+/=-]{12,}))", True),
    (("basic ",), r"basic\s+(?P<s>[A-Za-z0-9+/]{8,300}={1,2})(?![\w=])", True),
    (("cookie",), r"cookie[\\\"'`*]{0,5}\s{0,4}[:=]\s{0,4}[\\\"']{0,3}(?P<s>[\w.-]{1,60}=[^\n\"'`\\]{8,})", True),
    (("sessionid=", "sessid=", "connect.sid=", "csrftoken="), ANCHOR + r"(?P<s>(?P<tail>[\w%.:+/=-]{16,}))", True),
    # -- command lines and files of passwords --
    _command("sshpass", "-p ?"),
    _command("mysql", "-p", r"(?P<s>'[^'\n]+'|\"[^\"\n]+\"|[^\s'\"]{3,})"),
    _command("mariadb", "-p", r"(?P<s>'[^'\n]+'|\"[^\"\n]+\"|[^\s'\"]{3,})"),
    _command("mongo", "-p ?"),
    _command("redis-cli", "(?:-a|--pass)[ =]"),
    _command("ldap", "-w ?"),
    _command("sqlcmd", "-P ?"),
    _command("zip", "-P ?"),
    _command("curl", r"(?:-u|--user|-U|--proxy-user)[ =]?[\"']?[^\s:\"']{0,80}:", r"(?P<s>[^\s\"']{1,200})"),
    _command("http", r"(?:-a|--auth)[ =]?[\"']?[^\s:\"']{0,80}:", r"(?P<s>[^\s\"']{1,200})"),
    _command("smbclient", r"-U ?[\"']?[^\s%\"']{0,80}%", r"(?P<s>[^\s\"']{1,200})"),
    _command("lftp", r"-u ?[\"']?[^\s,\"']{0,80},", r"(?P<s>[^\s\"']{1,200})"),
    _command("login", "-p[ =]"),
    (("-pass",), r"-pass(?:in|out)?\s+[\"']?pass:(?P<s>[^\s\"']{1,200})", False),
    (("--from-literal",), r"--from-literal[= ][\"']?[\w.-]{1,100}=(?P<s>[^\s\"']{1,4000})", False),
    (("echo ",), _PIPED, False),
    (("machine ", "machine\t"), _NETRC, False),
    ((":54", ":6432:", ":*:"), _PGPASS, False),
)  # fmt: skip
# Shapes of one long word that begins with nothing in particular: tokens of bots of Discord and Telegram, Terraform, Airtable.
LONG = (
    r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=%[0-9A-F]{2}))(?:[MNO][\w-]{22,27}\.[\w-]{6,7}\.[\w-]{27,40}"
    r"|\d{6,10}:[A-Za-z][\w-]{33,45}(?![\w-])|[A-Za-z0-9]{14}\.atlasv1\.[\w-]{40,}|pat\w{14}\.[0-9a-f]{64})"
)
# detect-secrets' detectors, by what their patterns need. Most of what they know is gone by then: loading them takes as
# long as three short commands.
THEIRS = (
    (("AKIA", "ASIA", "ABIA", "ACCA", "A3T"), "aws.AWSKeyDetector"),
    (("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), "github_token.GitHubTokenDetector"),
    (words("glpat- gldt- glft- glsoat- glrt- GR1348941 glcbt- glimt- glptt- glagent- gloas-"),
     "gitlab_token.GitLabTokenDetector"),
    (("eyJ",), "jwt.JwtTokenDetector"),
    (tuple(f"-us{digit}" for digit in range(1, 10)), "mailchimp.MailchimpDetector"),
    (("pypi-Ag",), "pypi_token.PypiTokenDetector"),
    (("SG.",), "sendgrid.SendGridDetector"),
    (("xoxa-", "xoxb-", "xoxp-", "xoxo-", "xoxs-", "xoxr-", "hooks.slack.com/services/"), "slack.SlackDetector"),
    (("sq0csp-",), "square_oauth.SquareOAuthDetector"),
    (("sk_live_", "rk_live_"), "stripe.StripeDetector"),
)  # fmt: skip
# Row by row: (anchor, its letters, pattern, whether it reads small letters only).
ANCHORED = tuple(
    (anchor, frozenset(anchor), pattern, is_low) for anchors, pattern, is_low in ROWS for anchor in anchors
)
# What has to be in a text for any of all this to be tried, with its letters, and whether in small letters only.
LITERALS = (
    *((anchor, letters, is_low) for anchor, letters, _, is_low in ANCHORED),
    *((one, frozenset(one), False) for one in (*KEY_MARKS, *(need for needs, _ in THEIRS for need in needs))),
)
# Of a name that says secret, one of these is a part.
NAME_WORDS = ("pass", "pwd", "pw", "secret", "token", "key", "credential", "auth", "kennwort", "contrase")


def is_random(tail: str) -> bool:
    """Whether a piece of text cannot be words: it has a digit, or capitals all over the small letters."""
    return any(map(str.isdigit, tail)) or has_mixed_case(tail)


def has_mixed_case(text: str) -> bool:
    """Whether the case changes more often than in words joined LikeThis."""
    return 4 * sum(a.isupper() != b.isupper() for a, b in pairwise(text)) > len(text) > 3


def is_key_body(text: str) -> bool:
    """Whether what stands between BEGIN and END is a key: a short piece, or base64 for the greater part."""
    pieces = re.findall(r"[\w+/=.-]{16,}", text)
    return len(text) < SHORT_KEY or 2 * sum(map(len, pieces)) > len(text)


def is_key_line(line: str) -> bool:
    """Whether a line may be one of a private key's: base64 and nothing else but what quotes or indents it."""
    bare = line.strip(" \t\r>|*`")
    return not bare or (re.fullmatch(_BASE64 + "+", bare) is not None and (len(bare) >= 16 or is_random(bare)))


def aligned_lower(text: str) -> str:
    """`text` in small letters, each at the place it had: a few letters become two when they are made small."""
    low = text.lower()
    return low if len(low) == len(text) else "".join(one.lower()[:1] for one in text)


@cache
def compiled(pattern: str, anchor: str = "") -> re.Pattern[str]:
    """A row's pattern for one of its anchors."""
    return re.compile(pattern.replace(ANCHOR, re.escape(anchor)))


@cache
def patterns_of(name: str) -> tuple[re.Pattern[str], ...]:
    """The patterns of one of detect-secrets' detectors. Applied here and not by it, because it reports only the group
    of a pattern that has one: of a GitHub token the three letters `ghp`."""
    from importlib import import_module

    from detect_secrets.plugins.base import RegexBasedDetector

    module, _, kind = name.partition(".")
    made = getattr(import_module(f"detect_secrets.plugins.{module}"), kind)()
    assert isinstance(made, RegexBasedDetector)
    return tuple(made.denylist)

"""Redaction: secrets go, hashes, ids and counts stay, and no text makes it slow."""

from __future__ import annotations

import pytest

from neatd.redact import MARK, redact
from tests.cost import at_most

# Made of parts, so that no scanner takes this file for a leak.
GITHUB = "gh" + "p_" + "a1B2" * 9
FINE_GRAINED = "github_" + "pat_" + "11ABCDE0a" * 6
HUGGING_FACE = "h" + "f_" + "AbCdEfGhIjKlMnOpQrStUvWxYz12345678"
ANTHROPIC = "sk-" + "ant-" + "api03-AbCd1234EfGh5678"
AWS = "AKI" + "AIOSFODNN7EXAMPLE"
SLACK = "xox" + "b-1234567890-1234567890-abcdefABCDEF"
GITLAB = "glp" + "at-" + "ab12CD34ef56GH78ij90"
JWT = "ey" + "JhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
KEY_BODY = "MIIEpAIBAAKCAQEA7bq8vV9xG2" * 2
KEY_BLOCK = f"-----BEGIN RSA PRIVATE {'KEY'}-----\n{KEY_BODY}\n{KEY_BODY}\n-----END RSA PRIVATE {'KEY'}-----"


@pytest.mark.parametrize("token", [GITHUB, FINE_GRAINED, HUGGING_FACE, ANTHROPIC, AWS, SLACK, GITLAB, JWT])
def test_a_token_goes_whole_wherever_it_stands(token: str) -> None:
    """Not a part of a known token is left, in a sentence, in a table cell or in code."""
    assert redact(f"pushed with {token}, then left") == f"pushed with {MARK}, then left"
    assert redact(f"| {token} | 2.5 |") == f"| {MARK} | 2.5 |"
    assert redact(f"`{token}`") == f"`{MARK}`"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("API_KEY=abc123def456", "abc123def456"),
        ("wandb_api_key: 0123456789abcdef0123456789abcdef01234567", "0123456789abcdef0123456789abcdef01234567"),
        ('"password": "correct horse battery"', "correct horse battery"),
        ("db-password='hunter2,and;more'", "hunter2,and;more"),
        ("password: hunterhunter", "hunterhunter"),
        ("**Password**: hunter22", "hunter22"),
        ("MY_SECRET_TOKEN = Zm9vYmFyMTIz", "Zm9vYmFyMTIz"),
        ("train.py --hub-token Zm9vYmFyMTIz --lr 0.1", "Zm9vYmFyMTIz"),
        ("Authorization: Bearer abcdefghijklmnop1234", "abcdefghijklmnop1234"),
    ],
)
def test_a_value_goes_by_its_name(text: str, secret: str) -> None:
    """A name that says secret, in any of the ways people write it, takes its value with it and stays itself."""
    assert redact(text) == text.replace(secret, MARK)


def test_both_values_of_a_changed_parameter_go() -> None:
    """A parameter against the baseline's is `name old -> new`: neither value stays."""
    changed = "lr 0.1 -> 0.2; api_key abc123def -> zzz999yyy; batch 8 -> 16"
    assert redact(changed) == f"lr 0.1 -> 0.2; api_key {MARK} -> {MARK}; batch 8 -> 16"


@pytest.mark.parametrize("user", ["me", ""])
def test_the_password_of_a_url_goes(user: str) -> None:
    """User, host and path of the URL stay readable; redis URLs have no user at all."""
    assert redact(f"postgres://{user}:p@ss.w0rd@db.local:5432/runs") == f"postgres://{user}:{MARK}@db.local:5432/runs"


def test_a_private_key_block_goes_whole() -> None:
    """From its first to its last line; the text around it stays."""
    assert redact(f"before\n{KEY_BLOCK}\nafter") == f"before\n{MARK}\nafter"


def test_a_cut_off_private_key_takes_only_itself() -> None:
    """Without an END line, what is not base64 stays: one mention does not eat the rest of a handoff."""
    cut = KEY_BLOCK.rpartition("\n")[0]
    assert redact(f"before\n{cut}\n## Decisions\nkept") == f"before\n{MARK}\n## Decisions\nkept"
    flat = " ".join(KEY_BLOCK.split())[:80] + "…"
    assert redact(f"- note {flat}\n- the next one") == f"- note {MARK}\n- the next one"


def test_two_mentions_of_a_key_do_not_take_the_text_between_them() -> None:
    """What is no base64 is no key, however it is framed."""
    prose = "## Decisions\n" + "- keep the larger batch, since it halves the time\n" * 20
    text = f"looks for -----BEGIN PRIVATE {'KEY'}-----\n{prose}and for -----END PRIVATE {'KEY'}-----\n"
    assert redact(text) == f"looks for {MARK}\n{prose}and for {MARK}\n"


@pytest.mark.parametrize(
    "text",
    [
        "Branch main at 3f2a9c1b5d6e7f8091a2b3c4d5e6f708192a3b4c",
        "(d-7k2q9x8m5n4p3r2t, 3 h ago), run r-00000000000000zz",
        "max_tokens=4096 num_tokens=1_000_000 tokens: 1500000000 tokens_per_second=123456.7",
        "max_tokens 4096 -> 8192; tokenizer bpe-large-v2 -> wordpiece-2k; token_dropout 0.10001 -> 0.20001",
        "pad_token: <|endoftext|>; eos_token=</s></s>",
        "The secret: patience. The next token: embeddings. Password length: 12",
        "token: none; use_auth_token=False",
        "see https://example.org:8080/x?mail=me at 12:30:45, user@example.org",
        "task-something-long-enough-to-look-like-123456 and sk-learn",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    """Hashes, ids, counts of tokens, special tokens and plain words are left as they are."""
    assert redact(text) == text


@pytest.mark.parametrize(
    "text", [GITHUB, "password: hunter22", KEY_BLOCK, "a://b:secret@c", "api_key abc123 -> def456"]
)
def test_twice_changes_nothing_more(text: str) -> None:
    """A redacted text is left as it is."""
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(
    "part",
    ["a", "token", "passwd=", "://", "a://b:", "eyJ", "sk-", "--", "-----BEGIN PRIVATE KEY-----", "secret ", "A1"],
)
def test_no_text_makes_it_slow(part: str) -> None:
    """100,000 characters of whatever repeats take well under the second that a quadratic search would pass."""
    with at_most(1.5):
        redact(part * (100_000 // len(part)))


@pytest.mark.parametrize(
    "text",
    [
        "ubuntu:S@198.51.100.9", "ssh root:S@10.0.0.7 -p 22", "host=ubuntu:S@gpu.example.com", "'me:S@localhost'",
        "ubuntu:S@198.51.100.9:22", '{"host": "ubuntu:S@198.51.100.9"}', "(root:S@gpu-3.internal.example.org).",
    ],
)  # fmt: skip
def test_the_password_before_a_host_goes_without_a_scheme_too(text: str) -> None:
    """As people note a machine: user and host stay."""
    assert redact(text.replace("S", "pa55w0rdxyz")) == text.replace("S", MARK)
    assert redact(text.replace("S", "p@ss!w0rd")) == text.replace("S", MARK)


def test_before_an_address_any_word_is_a_password() -> None:
    """A name there may be a file's or a mail's; an address of four numbers is none."""
    assert redact("root:hunter@10.0.0.7") == f"root:{MARK}@10.0.0.7"
    assert redact("root:hunter@best.pt") == "root:hunter@best.pt"


@pytest.mark.parametrize(
    "text",
    [
        "user@host:path", "ubuntu@198.51.100.9:/data/x", "git@github.com:org/repo.git", "logits a:b@c, top:1@5",
        "runs/a:val/loss@300", "val:acc@best.pt", "cfg:resnet50x@base2.yaml", "mailto:j4ne.doe77x@example.org",
        "author:jane.doe1984@example.org", "from:s1234567@example.org", "host:8080@10.0.0.1", "12:30@10.0.0.1",
        "image:v2a-cuda12x@sha256:0123456789abcdef", "recall:top@k.mean, precision:0.25@5.0",
        "wandb pinned at commit 0123456789abcdef0123456789abcdef01234567", "one forward pass phrase by phrase",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_login_stays(text: str) -> None:
    """Paths of scp and git, metrics, files, mail addresses, ports, images."""
    assert redact(text) == text


def test_a_trackers_key_goes_behind_its_name() -> None:
    """Forty hex digits right after the word are its key; a commit is further away."""
    key = "0123456789abcdef" * 2 + "01234567"
    for text in ("wandb S", "wandb: S", "WANDB=S", "`wandb` `S`"):
        assert redact(text.replace("S", key)) == text.replace("S", MARK)


def test_a_pass_phrase_may_be_two_words() -> None:
    """However it is joined; the phrase goes to the end of its line."""
    for name in ("pass phrase", "pass-phrase", "Pass_phrase", "passphrase"):
        assert redact(f"{name}: correct horse battery\nlr 0.1") == f"{name}: {MARK}\nlr 0.1"

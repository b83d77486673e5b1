"""Secrets that open nothing: made from a seed in the shapes that providers give theirs, so that no scanner takes these
files for a leak; and the ways in which people and programs write one down."""

from __future__ import annotations

import base64
import json
import random
import string
from typing import NamedTuple

_chance = random.Random(20260301)
_LETTERS = string.ascii_letters + string.digits
_HEX = "0123456789abcdef"


def made(count: int, letters: str = _LETTERS) -> str:
    """Random characters, the same in each run; a digit and both cases among the first ones where there can be."""
    start = "".join(one for one in "k7Q" if one in letters)
    return start + "".join(_chance.choices(letters, k=count - len(start)))


def _jwt() -> str:
    parts = [json.dumps({"alg": "HS256", "typ": "JWT"}), json.dumps({"sub": "1234567890", "name": made(6)})]
    return ".".join([base64.urlsafe_b64encode(one.encode()).decode().rstrip("=") for one in parts] + [made(43)])


def key_block(kind: str = "RSA PRIVATE", lines: int = 6) -> str:
    """A private key in armour, of lines of 64 characters and a short last one."""
    body = [made(64, _LETTERS + "+/") for _ in range(lines)] + [made(22) + "=="]
    return "\n".join([f"-----BEGIN {kind} {'KEY'}-----", *body, f"-----END {kind} {'KEY'}-----"])


class Planted(NamedTuple):
    """A secret, the name it goes by, and whether its shape alone tells that it is one."""

    what: str
    name: str
    secret: str
    is_known: bool = True


def _known() -> list[Planted]:
    """Those that are recognised without their name."""
    rows = {
        ("aws access key id", "AWS_ACCESS_KEY_ID"): "AKI" + "A" + made(16, string.ascii_uppercase + "234567"),
        ("aws session token", "AWS_SESSION_TOKEN"): "IQo" + "Jb3JpZ2luX2Vj" + made(300, _LETTERS + "+/"),
        ("azure client secret", "AZURE_CLIENT_SECRET"): made(3) + "8" + "Q~" + made(34, _LETTERS + "._-"),
        ("digitalocean", "DIGITALOCEAN_TOKEN"): "dop" + "_v1_" + made(64, _HEX),
        ("heroku", "HEROKU_KEY"): "HRK" + "U-" + made(60),
        ("runpod", "RUNPOD_API_KEY"): "rp" + "a_" + made(46),
        ("prime intellect", "PRIME_API_KEY"): "pi" + "t_" + made(64, _HEX),
        ("lambda", "LAMBDA_API_KEY"): "secr" + "et_train-box_" + made(32, _HEX) + "." + made(32),
        ("openai", "OPENAI_API_KEY"): "sk" + "-" + made(48),
        ("openai project", "OPENAI_API_KEY"): "sk" + "-proj-" + made(74, _LETTERS + "_-") + "T3Blbk" + "FJ" + made(74),
        ("openai service account", "OPENAI_API_KEY"): "sk" + "-svcacct-" + made(120, _LETTERS + "_-"),
        ("anthropic", "ANTHROPIC_API_KEY"): "sk" + "-ant-api03-" + made(93, _LETTERS + "_-") + "AA",
        ("openrouter", "OPENROUTER_API_KEY"): "sk" + "-or-v1-" + made(64, _HEX),
        ("elevenlabs", "ELEVENLABS_API_KEY"): "sk" + "_" + made(48, _HEX),
        ("huggingface", "HF_TOKEN"): "h" + "f_" + made(34, string.ascii_letters),
        ("huggingface organisation", "HF_TOKEN"): "api" + "_org_" + made(34, string.ascii_letters),
        ("google", "GOOGLE_API_KEY"): "AI" + "za" + made(35, _LETTERS + "_-"),
        ("google oauth", "GOOGLE_TOKEN"): "ya" + "29." + made(120, _LETTERS + "_-"),
        ("groq", "GROQ_API_KEY"): "gs" + "k_" + made(52),
        ("xai", "XAI_API_KEY"): "xa" + "i-" + made(80),
        ("replicate", "REPLICATE_API_TOKEN"): "r" + "8_" + made(37),
        ("perplexity", "PPLX_API_KEY"): "ppl" + "x-" + made(48),
        ("together", "TOGETHER_API_KEY"): "tg" + "p_v1_" + made(43, _LETTERS + "_-"),
        ("nvidia", "NGC_API_KEY"): "nv" + "api-" + made(64, _LETTERS + "_-"),
        ("langsmith", "LANGSMITH_API_KEY"): "ls" + "v2_pt_" + made(32, _HEX) + "_" + made(10, _HEX),
        ("wandb, the long kind", "WANDB_API_KEY"): "wan" + "db_v1_" + made(77, _LETTERS + "_"),
        ("neptune", "NEPTUNE_API_TOKEN"): base64.b64encode(
            json.dumps({"api_address": "https://app.tracker.example", "api_key": made(36)}).encode()
        ).decode(),
        ("kaggle, the new kind", "KAGGLE_API_TOKEN"): "KG" + "AT_" + made(32, _HEX),
        ("github", "GITHUB_TOKEN"): "gh" + "p_" + made(36),
        ("github oauth", "GH_TOKEN"): "gh" + "o_" + made(36),
        ("github server", "GH_TOKEN"): "gh" + "s_" + made(36),
        ("github fine-grained", "GH_TOKEN"): "github" + "_pat_" + made(22) + "_" + made(59),
        ("gitlab", "GITLAB_TOKEN"): "glp" + "at-" + made(20, _LETTERS + "_-"),
        ("bitbucket", "BITBUCKET_TOKEN"): "ATB" + "B" + made(32),
        ("atlassian", "JIRA_TOKEN"): "ATAT" + "T3xFfGF0" + made(170, _LETTERS + "_-") + "=" + made(8, "0123456789ABCDEF"),
        ("npm", "NPM_TOKEN"): "np" + "m_" + made(36),
        ("pypi", "PYPI_TOKEN"): "pyp" + "i-AgEIcHlwaS5vcmc" + made(150, _LETTERS + "_-"),
        ("docker hub", "DOCKER_PAT"): "dckr" + "_pat_" + made(27, _LETTERS + "_-"),
        ("slack bot", "SLACK_TOKEN"): "xox" + f"b-{made(11, '0123456789')}-{made(12, '0123456789')}-{made(24)}",
        ("slack app", "SLACK_APP_TOKEN"): "xap" + f"p-1-A0{made(8)}-{made(12, '0123456789')}-{made(64, _HEX)}",
        ("discord", "DISCORD_TOKEN"): "M" + made(25) + "." + made(6) + "." + made(38, _LETTERS + "_-"),
        ("telegram", "TELEGRAM_TOKEN"): "6123456789" + ":AA" + made(33, _LETTERS + "_-"),
        ("twilio", "TWILIO_KEY"): "S" + "K" + made(32, _HEX),
        ("sendgrid", "SENDGRID_API_KEY"): "S" + "G." + made(22, _LETTERS + "_-") + "." + made(43, _LETTERS + "_-"),
        ("stripe", "STRIPE_KEY"): "sk" + "_live_" + made(24),
        ("stripe restricted", "STRIPE_KEY"): "rk" + "_live_" + made(24),
        ("square", "SQUARE_TOKEN"): "sq0" + "csp-" + made(43, _LETTERS + "_-"),
        ("vault", "VAULT_TOKEN"): "hv" + "s." + made(90),
        ("tailscale", "TS_AUTHKEY"): "tsk" + "ey-auth-" + made(12) + "-" + made(32),
        ("jwt", "SESSION_TOKEN"): _jwt(),
        ("age", "AGE_KEY"): "AGE-SECR" + "ET-KEY-1" + made(58, string.ascii_uppercase + "234567"),
        ("bcrypt", "ADMIN_HASH"): "$2" + "b$12$" + made(53, _LETTERS + "./"),
    }  # fmt: skip
    return [Planted(what, name, secret) for (what, name), secret in rows.items()]


def _by_name() -> list[Planted]:
    """Those that are characters like any other: their name has to stand beside them."""
    rows = {
        "AWS_SECRET_ACCESS_KEY": made(40, _LETTERS + "/+"),
        "private_key_id": made(40, _HEX),
        "AccountKey": made(86, _LETTERS + "/+") + "==",
        "AZURE_API_KEY": made(32, _HEX),
        "CLOUDFLARE_API_TOKEN": made(40, _LETTERS + "_-"),
        "X-Auth-Key": made(37, _HEX),
        "HEROKU_API_KEY": "6f1c2b3a-0d4e-4f5a-9b8c-" + made(12, _HEX),
        "VULTR_API_KEY": made(36, string.ascii_uppercase + string.digits),
        "VAST_API_KEY": made(64, _HEX),
        "MODAL_TOKEN_SECRET": "as" + "-" + made(22),
        "MISTRAL_API_KEY": made(32),
        "COHERE_API_KEY": made(40),
        "TOGETHER_KEY": made(64, _HEX),
        "WANDB_API_KEY": made(40, _HEX),
        "COMET_API_KEY": made(25),
        "CLEARML_API_SECRET_KEY": made(50),
        "CLEARML_API_ACCESS_KEY": made(20, string.ascii_uppercase + string.digits),
        "MLFLOW_TRACKING_PASSWORD": "sn0w-Owl&" + made(6),
        "MLFLOW_TRACKING_TOKEN": made(40),
        "KAGGLE_KEY": made(32, _HEX),
        "DB_PASSWORD": "hunter2!x",
        "PGPASSWORD": "purple-" + made(5) + "#9",
        "redis_passwd": "Tr0ub4dor&3",
        "client_secret": made(32, _LETTERS + "~"),
        "SECRET_KEY_BASE": made(64, _HEX),
        "SLACK_SIGNING_SECRET": made(32, _HEX),
        "refresh_token": made(44, _LETTERS + "_-"),
    }
    return [Planted(name, name, secret, False) for name, secret in rows.items()]


KNOWN, BY_NAME = _known(), _by_name()
ALL = [*KNOWN, *BY_NAME]
# With the name: N, the secret: S.
NAMED_WAYS = {
    "assigned": "N=S",
    "assigned in a sentence": "then I set N=S, and it ran",
    "spaced": "N = S",
    "exported": 'export N="S"',
    "exported, single quotes": "export N='S' && python train.py",
    "fish": "set -gx N S",
    "powershell": '$env:N = "S"',
    "docker": "ENV N=S",
    "yaml": "env:\n  N: S\n  lr: 0.1",
    "yaml, quoted": "N: 'S'  # mine",
    "yaml, folded": "N: >-\n  S\nlr: 0.1",
    "kubernetes": "- name: N\n  value: S",
    "json": '{"lr": 0.1, "N": "S", "seed": 3}',
    "json, compact": '{"lr":0.1,"N":"S","seed":3}',
    "json in json": '{"text": "{\\"N\\": \\"S\\", \\"lr\\": 1}"}',
    "json, two lines": '"N":\n    "S"',
    "dict": "{'N': 'S', 'lr': 0.1}",
    "environ": 'os.environ["N"] = "S"',
    "setdefault": 'os.environ.setdefault("N", "S")',
    "typed": 'N: str = "S"',
    "call": 'connect(host="a", N="S", port=1)',
    "toml": 'N = "S"',
    "option": "train.py --N S --lr 0.1",
    "option with a sign": "train.py --N=S --lr 0.1",
    "query": "https://host.example/v1?N=S&page=2",
    "header": 'curl -H "N: S" https://host.example',
    "bold": "**N**: S",
    "bold, colon within": "**N:** S",
    "code": "`N`: `S`",
    "code as one": "use `N=S` for it",
    "table cell": "| N | S |",
    "quotation": "> N=S",
    "list item": "- N: S",
    "xml": "<N>S</N>",
    "arrow": "N -> S",
    "changed": "lr 0.1 -> 0.2; N: S -> S; batch 8 -> 16",
    "log line": "2026-03-01 12:00:00 INFO config: N=S loaded",
}
# Without a name.
BARE_WAYS = {
    "alone": "S",
    "in a sentence": "pushed with S, then left",
    "at the end": "the one that works is S",
    "at the end of a sentence": "It is S.",
    "at the start": "S is the one",
    "in brackets": "(S)",
    "in quotes": 'login(token="S")',
    "code": "`S`",
    "bold": "**S**",
    "table cell": "| a | S | 2.5 |",
    "code block": "```\nS\n```",
    "url query": "https://host.example/v1?x=S&page=2",
    "url user": "https://S@github.com/me/repo.git",
    "url password": "https://oauth2:S@gitlab.com/me/repo.git",
    "bearer": "Authorization: Bearer S",
    "header": 'curl -H "Authorization: token S" https://api.host.example',
    "header, json": '{"Authorization": "Bearer S"}',
    "curl user": "curl -u me:S https://host.example",
    "escaped line end": '{"text": "first\\nS\\nlast"}',
    "percent code": "next%3DS",
    "two of them": "S and S",
    "file name": "keys_S.txt",
}


def parts(secret: str, length: int = 12) -> list[str]:
    """Every part of a secret that would help to guess the rest: each run of `length` characters."""
    return [secret[at : at + length] for at in range(max(1, len(secret) - length + 1))]


def leaks(secret: str, text: str) -> bool:
    """Whether a part of the secret is in the text."""
    return any(part in text for part in parts(secret))

"""What counts as a secret: each in every way it is written down, and formats and command lines with ways of their own."""

from __future__ import annotations

import base64
import json
import re

import pytest

from neatd.redact import MARK, redact, redact_value
from tests.secrets_made import ALL, BARE_WAYS, KNOWN, NAMED_WAYS, Planted, key_block, leaks, made

PASSWORD = "hunter2!x"
HEX_40, HEX_32 = made(40, "0123456789abcdef"), made(32, "0123456789abcdef")
AWS_ID, AWS_SECRET = "AKI" + "A" + made(16, "ABCDEFGH234567"), made(40, "abcdefghijKLMNOPQRST0123456789/+")
KINDS = ("RSA PRIVATE", "EC PRIVATE", "OPENSSH PRIVATE", "PRIVATE", "ENCRYPTED PRIVATE", "DSA PRIVATE")


def written(way: str, name: str, secret: str) -> str:
    """A way of writing with the name for N and the secret for S, which stand alone in it."""
    return re.sub(r"(?<![A-Za-z])[NS](?![A-Za-z])", lambda found: name if found[0] == "N" else secret, way)


@pytest.mark.parametrize("one", ALL, ids=[f"{one.what}" for one in ALL])
def test_a_secret_goes_by_its_name_however_it_is_written(one: Planted) -> None:
    """Shell, YAML, JSON, Python, headers, options, markdown: no 12 characters of it are left, and its name stays."""
    for way, text in NAMED_WAYS.items():
        clean = redact(written(text, one.name, one.secret))
        assert not leaks(one.secret, clean), f"{way}: {clean}"
        assert MARK in clean and one.name in clean, f"{way}: {clean}"


@pytest.mark.parametrize("one", KNOWN, ids=[one.what for one in KNOWN])
def test_a_known_secret_goes_wherever_it_stands(one: Planted) -> None:
    """Its shape is enough: in a sentence, in code, in a URL, in a file's name."""
    for way, text in BARE_WAYS.items():
        whole = (
            text.replace("_S.", f"_{one.secret}.").replace("3DS", f"3D{one.secret}").replace("\\nS", f"\\n{one.secret}")
        )
        clean = redact(written(whole, "", one.secret))
        assert not leaks(one.secret, clean), f"{way}: {clean}"
        assert MARK in clean


@pytest.mark.parametrize("one", ALL, ids=[one.what for one in ALL])
def test_a_secret_goes_from_fields(one: Planted) -> None:
    """A value by its field's name, in objects in lists in objects; the name of an object around it is a part of its name."""
    head, _, last = one.name.rpartition("_")
    nested = {head or "x": {last: one.secret}, "lr": 0.1} if one.is_known or last in ("token", "secret") else {}
    for value in (
        {one.name: one.secret},
        [{"env": [{"name": one.name, "value": one.secret}]}],
        {"args": ["train.py", f"--{one.name}", one.secret, "--lr", "0.1"]},
        {"argv": ("train.py", f"--{one.name}={one.secret}")},
        {"note": f"I set {one.name}={one.secret}"},
        {one.name: [one.secret, one.secret]},
        nested,
    ):
        assert not leaks(one.secret, json.dumps(redact_value(value))), value


def test_names_around_a_value_complete_its_name() -> None:
    """{"wandb": {"api": {"key": …}}} is the same as wandb.api.key."""
    clean = redact_value(
        {"wandb": {"api": {"key": HEX_40, "entity": "me"}}, "kaggle": {"username": "me", "key": HEX_32}}
    )
    assert clean == {"wandb": {"api": {"key": MARK, "entity": "me"}}, "kaggle": {"username": "me", "key": MARK}}


def test_a_password_that_is_a_number_goes_from_its_field() -> None:
    """Counts and switches of the same objects stay numbers."""
    clean = redact_value({"password": 12345678, "password_length": 12, "max_tokens": 4096, "use_auth_token": True})
    assert clean == {"password": MARK, "password_length": 12, "max_tokens": 4096, "use_auth_token": True}


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"machine api.wandb.ai\n  login user\n  password {HEX_40}\n", HEX_40),
        (f"machine github.com login me password {PASSWORD}", PASSWORD),
        (f"wandb login {HEX_40}", HEX_40),
        (f"wandb login --relogin --host=https://wandb.host.example {HEX_40}", HEX_40),
        (f'wandb.login(key="{HEX_40}")', HEX_40),
        (f"the wandb key is {HEX_40}", HEX_40),
        (f'{{"username":"me","key":"{HEX_32}"}}', HEX_32),
        (f"kaggle key {HEX_32}", HEX_32),
        (f"vastai set api-key {HEX_40}", HEX_40),
        (f"AWS: {AWS_ID} / {AWS_SECRET}", AWS_SECRET),
        (f"aws_access_key_id={AWS_ID}\naws_secret_access_key={AWS_SECRET}", AWS_SECRET),
        (f"DefaultEndpointsProtocol=https;AccountName=me;AccountKey={AWS_SECRET};EndpointSuffix=core.example", AWS_SECRET),
        (f"https://me.blob.example/c?sv=2024-01-01&se=2026-01-01&sr=c&sp=rl&sig={AWS_SECRET.replace('/', '%2F')}", AWS_SECRET),
        (f"https://b.s3.example/o?X-Amz-Expires=60&X-Amz-Signature={HEX_40}", HEX_40),
        (json.dumps({"auths": {"https://index.docker.io/v1/": {"auth": base64.b64encode(b"me:pa55word").decode()}}}),
         base64.b64encode(b"me:pa55word").decode()),
        (f"dvc remote modify --local store secret_access_key {AWS_SECRET}", AWS_SECRET),
        (f"https://hooks.slack.com/services/T012345/B012345/{made(24)}", "/B012345/"),
        (f"https://discord.com/api/webhooks/123456789012345678/{HEX_40}", HEX_40),
        ("https://api.telegram.org/bot" + "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11/getMe", "DEF1234ghIkl"),
        (f"db.host.example:5432:runs:me:{PASSWORD}", PASSWORD),
        (f"*:*:*:me:{PASSWORD}", PASSWORD),
        (f"Set-Cookie: session={HEX_40}; Path=/; HttpOnly", HEX_40),
        (f"Authorization: Basic {base64.b64encode(b'me:hunter22').decode()}", base64.b64encode(b"me:hunter22").decode()),
        (f"curl -s -u me:{PASSWORD} https://host.example", PASSWORD),
        (f"curl --user 'me:{PASSWORD}' https://host.example", PASSWORD),
        (f"sshpass -p {PASSWORD} ssh me@host", PASSWORD),
        (f"sshpass -p'{PASSWORD}' ssh me@host", PASSWORD),
        (f"mysql -u root -p{PASSWORD} runs", PASSWORD),
        (f"mysqldump --password={PASSWORD} runs", PASSWORD),
        (f"redis-cli -h host -a {PASSWORD} ping", PASSWORD),
        (f"docker login -u me -p {PASSWORD} registry.example", PASSWORD),
        (f"echo {PASSWORD} | sudo -S apt install x", PASSWORD),
        (f"echo '{PASSWORD}' | docker login -u me --password-stdin", PASSWORD),
        (f"PGPASSWORD={PASSWORD} psql -h host runs", PASSWORD),
        (f"openssl rsa -passin pass:{PASSWORD} -in k.pem", PASSWORD),
        (f"kubectl create secret generic s --from-literal=k={PASSWORD}", PASSWORD),
        (f"the password is {PASSWORD}", PASSWORD),
        (f"I changed the password for root to {PASSWORD}, and restarted", PASSWORD),
        ("passphrase: correct horse battery staple", "correct horse battery"),
        ("mnemonic: " + "legal winner thank year wave sausage worth useful legal winner thank yellow", "sausage worth"),
        (f"users: me:$6$rounds=5000${made(16)}${made(86)}:19000", "$rounds="),
        (f"password = {PASSWORD}; user = me", PASSWORD),
        (f"<add key='x'/><password>{PASSWORD}</password>", PASSWORD),
        (f"api_keys: ['{HEX_40}', '{HEX_32}']", HEX_32),
        (f'PRIVATE-TOKEN: "{HEX_40}"', HEX_40),
        (f"PrivateKey = {AWS_SECRET[:38]}0=", AWS_SECRET[:38]),
    ],
)  # fmt: skip
def test_formats_and_command_lines_give_none_away(text: str, secret: str) -> None:
    """Files of passwords, query strings, cookies, and the options by which programs take them."""
    assert not leaks(secret, redact(text)) and MARK in redact(text), redact(text)


@pytest.mark.parametrize(
    "scheme", ["postgres", "postgresql+psycopg2", "mysql", "mongodb+srv", "amqp", "redis", "https", "smb"]
)
@pytest.mark.parametrize("password", ["hunter2!x", "p@ss:w0rd", "%40bc%2Fdef", "ab/cd#ef1"])
def test_the_password_of_any_url_goes(scheme: str, password: str) -> None:
    """With odd characters too; user, host and path stay."""
    clean = redact(f"see {scheme}://me:{password}@db.example:5432/runs for it")
    assert clean == f"see {scheme}://me:{MARK}@db.example:5432/runs for it"


def test_a_token_in_the_place_of_a_user_goes() -> None:
    """As git keeps it in a remote's address; a plain user's name stays."""
    assert redact(f"https://{HEX_40}@github.com/me/r.git") == f"https://{MARK}@github.com/me/r.git"
    assert redact(f"https://{HEX_40}:x-oauth-basic@github.com/me/r.git").count(HEX_40[:12]) == 0
    assert redact("ssh://git@github.com/me/r.git") == "ssh://git@github.com/me/r.git"


@pytest.mark.parametrize("kind", [*KINDS, "PGP PRIVATE"])
@pytest.mark.parametrize(
    "way", ["plain", "quoted", "indented", "escaped", "escaped twice", "cut", "headless", "windows", "cell"]
)
def test_a_private_key_goes_in_any_dress(kind: str, way: str) -> None:
    """As a block, in a quotation, indented, in a JSON string, cut off at either end: not a line of it is left."""
    block = key_block(kind)
    if kind.startswith("PGP"):
        block = block.replace("KEY-----", "KEY BLOCK-----").replace(
            "BLOCK-----\n", "BLOCK-----\nVersion: GnuPG v2\n\n", 1
        )
    body = [line for line in block.split("\n") if len(line) == 64 and "-----" not in line]
    text = {
        "plain": f"before\n{block}\nafter",
        "quoted": "before\n> " + block.replace("\n", "\n> ") + "\nafter",
        "indented": "before\n    " + block.replace("\n", "\n    ") + "\nafter",
        "escaped": json.dumps({"private_key": block + "\n", "client_email": "after"}),
        "escaped twice": json.dumps({"file": json.dumps({"k": block, "x": "after"})}),
        "cut": "before\n" + block[: len(block) - 80] + "\nafter",
        "headless": block[100:] + "\nafter",
        "windows": "before\r\n" + block.replace("\n", "\r\n") + "\r\nafter",
        "cell": "| key | " + block.replace("\n", " ") + " | after |",
    }[way]
    clean = redact(text)
    assert not any(leaks(line, clean) for line in body), clean
    assert "after" in clean and MARK in clean


def test_a_service_account_loses_its_key_and_stays_json() -> None:
    """The rest of the file is readable still."""
    account = {"type": "service_account", "project_id": "p", "private_key_id": HEX_40, "private_key": key_block("PRIVATE"),
               "client_email": "me@p.example", "client_id": "1234567890"}  # fmt: skip
    clean = json.loads(redact(json.dumps(account)))
    assert clean["private_key_id"] == MARK and clean["private_key"].strip() == MARK
    assert {k: v for k, v in clean.items() if MARK not in v} == {k: v for k, v in account.items() if "private" not in k}


def test_a_putty_key_loses_its_private_lines() -> None:
    """Its format has no BEGIN and END."""
    lines = [made(64) for _ in range(3)]
    text = "PuTTY-User-Key-File-2: ssh-rsa\nComment: me\nPrivate-Lines: 3\n" + "\n".join(lines) + "\nPrivate-MAC: 00"
    assert not any(leaks(line, redact(text)) for line in lines) and "Comment: me" in redact(text)


def test_detect_secrets_finds_nothing_more() -> None:
    """Its own detectors, keywords among them and entropy not, see no secret in what is left of the table."""
    from detect_secrets.core.scan import scan_line
    from detect_secrets.settings import transient_settings

    plugins = """AWSKeyDetector AzureStorageKeyDetector BasicAuthDetector CloudantDetector DiscordBotTokenDetector
        GitHubTokenDetector GitLabTokenDetector IbmCloudIamDetector IbmCosHmacDetector JwtTokenDetector KeywordDetector
        MailchimpDetector NpmDetector OpenAIDetector PrivateKeyDetector PypiTokenDetector SendGridDetector SlackDetector
        SoftlayerDetector SquareOAuthDetector StripeDetector TelegramBotTokenDetector TwilioKeyDetector"""
    found = []
    with transient_settings({"plugins_used": [{"name": name} for name in plugins.split()]}):
        for one in (*ALL, Planted("mailchimp", "MC_KEY", HEX_32 + "-us12")):
            for way in ('N = "S"', "N: S", '"N": "S"'):
                line = redact(written(way, one.name, one.secret))
                found += [
                    (one.what, hit.type, line) for hit in scan_line(line) if hit.secret_value not in (MARK, MARK[1:-1])
                ]
    assert found == []


def test_every_keyword_of_detect_secrets_is_a_name_here() -> None:
    """What its keyword detector calls a secret by name, in the notations it knows."""
    from detect_secrets.plugins.keyword import DENYLIST

    for keyword in (one.replace("_?", joint) for one in DENYLIST for joint in ("_", "")):
        for way in ('N = "S"', "N: S", "N=S", 'N := "S"', "my_N = 'S'", 'N => "S"', "N_secure == 'S'"):
            text = written(way, keyword, "zX81kk29dD")
            assert "zX81kk29dD" not in redact(text), text

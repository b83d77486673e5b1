"""What is no secret stays as it is; a text without the words of a secret is not even looked at; no text makes it slow."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from neatd.redact import MARK, might_hold_secret, redact, redact_value
from tests.cost import at_most
from tests.secrets_made import ALL, BARE_WAYS, NAMED_WAYS

SHA_1, SHA_256 = hashlib.sha1(b"tree").hexdigest(), hashlib.sha256(b"data").hexdigest()
HARMLESS = {
    "commits": f"Last commit `08ce7dd` on main, parent {SHA_1}, merged in 3f2a9c1b5d; token: see commit {SHA_1[:12]}",
    "sums": f"hash: {SHA_256}\nsha256:{SHA_256}  data/raw.csv\nmd5 {SHA_256[:32]}, etag: \"{SHA_256[:32]}\"",
    "sums in json": f'{{"hash": "{SHA_256}", "commit": "{SHA_1}", "cache_key": "{SHA_256[:40]}", "id": "{SHA_256[:32]}"}}',
    "ids": "d-7k2q9x8m5n4p3r2t supersedes d-00000000000000zz, 6f1c2b3a-0d4e-4f5a-9b8c-778936006f56, session_id: 6f1c2b3a-0d4e",
    "counts": "num_tokens=2048 max_tokens: 300000 tokens: 1.5B tokens=2.5e9 tokens_per_second: 123456.7 total_tokens 3_000_000",
    "token names": "tokenizer: gpt2-xl-1558M; token_type=bpe-large-v2; pad_token: <|endoftext|>;"
        " eos_token=</s></s>; tokens/s: 12",
    "token words": "next token: embeddings. The tokenizer's token: cl100k_base, o200k_base,"
        " sentencepiece_32k_v2, Llama-3-8B-Instruct",
    "token prose": "Token discrepancy loss: 0.25. Token-level conversion. token 2048 of 4096, token budget:"
        " 4096-8192, tokens 100k-200k",
    "keys": "key_dim: 64 attention_key=q.k primary_key: id sort_key=lambda x: x.step foreign_key user_id key:"
        " value cache_key=step_100",
    "key words": "- **Key Insight 4**: a small model; Key result: d=768; keys: [\"logits\", \"hidden_states\"];"
        " the key is batch size 32",
    "more keys": "state_dict keys: 148 missing_keys=0 unexpected_keys: 2, dict_key: model.layers.0.attn.key.weight (768x768)",
    "key paths": "ssh -i ~/.ssh/provider_ed25519 root@10.0.0.7 -p 22; --key ~/.ssh/id_rsa; Key:"
        " ~/.ssh/id_ed25519; ssl_key=/etc/ssl/k.pem",
    "config": "d_model=768, n_heads=16, L=24, d_ff=3072, lr=3e-4, seed=1234567, dropout: 0.10001, batch_size: 64, params=170M",
    "hosts": "Host: root@198.51.100.22, port 22, https://example.org:8080/x?mail=me@example.org at 12:30:45,"
        " http://127.0.0.1:6006/",
    "urls": "https://github.com/me/repo/commit/" + SHA_1 + " git@github.com:me/repo.git ssh://git@host/me/repo.git",
    "versions": "torch 2.9.0+cu128, driver 550.90.07, CUDA 12.4, python 3.11.9, v1.2.3-rc.4, 2026-03-01T12:00:00.000000+00:00",
    "passing": "pass 3 of 5; PASS: 342 tests; tests pass: yes; forward pass: 12.5 ms; pass@1: 0.82; passes=3; bypass: true",
    "passwords as words": "password reset flow, Password length: 12, password policy: strict, passwordless"
        " login, password: required",
    "secret words": "The secret: patience. secret sauce: more data. secrets: none. secretary: Ann. open secret ="
        " regularisation",
    "auth words": "Auth: OAuth2. author: Ann Lee, authors=3; authentication: SSO; authorization: role-based;"
        " use_auth_token=False",
    "placeholders": "API_KEY=$API_KEY token=${HF_TOKEN} password: <password> key=your-key api_key: *** OPENAI_API_KEY=xxxxxxxx",
    "code": 'api_key = os.environ["API_KEY"]; token = get_token(); password=args.password; client = Client(api_key=api_key)',
    "code, types": "def f(token: str | None = None, key: int = 3, tokens: list[int], api_key: str) -> dict[str, Token]: ...",
    "files": "secrets.py tokens.json credentials: ~/.aws/credentials password_file=/run/secrets/db token_path:"
        " data/tokens_32k.bin",
    "models": "sk-learn and scikit-learn, hf_hub_download, gsk_loader, r8_config, xai-for-transformers,"
        " npm_config_prefix, key-value",
    "letters": "ACADEMIC TASK SKIP 1//0 sig=0.05 AKIA ASIA eyJ glpat- ghp_ -----BEGIN CERTIFICATE----- basic"
        " authentication, bearer of news",
    "commands": "mysql -u root runs; curl -s -o out.json https://host.example; docker login registry.example;"
        " redis-cli -h host ping",
    "more commands": "tmux capture-pane -t hpo -p | tail -20; mkdir -p a/b; cp -p x y; zip -r a.zip a; echo done"
        " | tee log; pytest -p no:cache",
    "queue": "| 1 | d=768, L=28, h=12 | 3072 | 199M | h3 | Push depth beyond L=24 |\n| # | token | key | loss"
        " |\n|---|---|---|---|\n| 1 | the | q | 0.3 |",
    "checks": "- [x] key rotation schedule done\n- [ ] token healing: test it\n- [ ] auth for the dashboard: ask Ann",
    "changed": "max_tokens 4096 -> 8192; tokenizer bpe-large-v2 -> wordpiece-2k; key_dim 64 -> 128;"
        " token_dropout 0.10001 -> 0.20001",
    "trace": 'File "train.py", line 120, in main\n    loss = model(tokens, key_padding_mask=mask)\nKeyError:'
        ' \'token_type_ids\'',
    "smtp": "db.host.example:5432 is up; host:5432/runs; train.py:12:4: E501; 12:30:45.123:5432",
}  # fmt: skip


@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
def test_what_is_no_secret_stays(text: str) -> None:
    """Hashes, ids, counts, settings of models, paths, hosts, versions, prose and code of this field."""
    assert redact(text) == text


def test_harmless_lines_make_no_secret_together() -> None:
    """Nor in one document."""
    text = "\n".join(HARMLESS.values())
    assert redact(text).split("\n") == text.split("\n")


def test_settings_of_a_model_stay_in_objects() -> None:
    """Names that hold token or key, with what models have for values."""
    config = {
        "tokenizer": {"name": "cl100k_base", "vocab_size": 100277, "special_tokens": ["<pad>", "<eos>"]},
        "attention": {"key": "q_proj", "key_dim": 64, "num_key_value_heads": 8}, "max_tokens": 4096, "tokens": 3e11,
        "pad_token_id": 50256, "sort_key": "length", "primary": {"metric": "val/loss", "goal": "min"}, "auth": None,
        "secret_sauce": False, "data": {"hash": SHA_256, "path": "data/tokens_32k.bin"}, "commit": SHA_1,
        "key": "~/.ssh/id_rsa",
        "machine": {"host": "root@198.51.100.22", "key": "~/.ssh/provider_ed25519"}, "token_dropout": 0.1, "pass": 3,
    }  # fmt: skip
    assert redact_value(config) == config


PIECES = [one.secret for one in ALL[::3]] + [one.name + "=" for one in ALL[::4]] + list(NAMED_WAYS.values())[::3]
PIECES += [
    *list(BARE_WAYS.values())[::3],
    "password: ",
    "-----BEGIN PRIVATE KEY-----\n",
    "://me:",
    "@host",
    "token ",
    MARK,
    "\ufdd0",
]
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=12)), max_size=6).map("".join)


@given(text=st.one_of(st.text(), TEXTS, st.text(alphabet="pasword=:ky-_/@. '\"\n1A", max_size=60)))
def test_what_cannot_hold_a_secret_is_left_alone(text: str) -> None:
    """The test in front is sound: where it says no, nothing is taken out of any text."""
    if not might_hold_secret(text):
        assert redact(text) == text


@example(text="REPLICATE_API_TOKEN=AWS_ACCESS_KEY_ID=k7QZjRjqSUaCUFZxTiJMiTbFuMbXo+PlT2Qnd1Byy0dQrVpe/oLP9XYjQ3Bo")
@given(text=st.one_of(TEXTS, st.text(alphabet="pasword=:ky-_/@. '\"\n1A", max_size=60)))
def test_once_is_enough(text: str) -> None:
    """A redacted text is left as it is, and the marks in it stay whole."""
    once = redact(text)
    assert redact(once) == once


def test_the_test_in_front_lets_plain_notes_through() -> None:
    """What people write all day is not looked at any further; each secret of the table is."""
    for text in (
        "loss 0.25 at step 3000, lr 3e-4 is better than 1e-3",
        "baseline: val/dice 0.1373 after 15 epochs",
        "x",
    ):
        assert not might_hold_secret(text)
    assert all(might_hold_secret(f"{one.name}={one.secret}") for one in ALL)
    assert all(might_hold_secret(one.secret) for one in ALL if one.is_known)


HOSTILE = ["a", "A1", "key=", "api_key=", "token=", "token: ", "://", "a://b:", "-----BEGIN", "-----BEGIN PRIVATE KEY-----\n",
           "-----END PRIVATE KEY-----", "secret ", "eyJ", "sk-", "hf_", "AKIA", "curl -u ", "wandb key ", 'token="', "= ", "\\",
           "MIIEpAIBAAKCAQEA7bq8vV9xG2\n", "\ufdd0", "İ", MARK]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("part", HOSTILE)
def test_time_grows_with_the_length_only(part: str) -> None:
    """300,000 characters of whatever repeats: 20 to 120 ms where it was written; a quadratic search takes minutes."""
    redact(part)
    with at_most(1.0):
        redact(part * (300_000 // len(part)))


@pytest.mark.slow
@pytest.mark.parametrize("part", ["a", "key=", "://", "-----BEGIN"])
def test_five_megabytes_take_no_two_seconds(part: str) -> None:
    """Of the runs that a search for names, addresses and blocks likes least."""
    text = part * (5_000_000 // len(part))
    with at_most(2.0):
        redact(text)


def test_detect_secrets_is_loaded_only_for_what_it_alone_knows() -> None:
    """It takes longer to load than a short command may take as a whole."""
    program = (
        "import sys; from neatd.redact import redact\n"
        "assert 're' in sys.modules and 'neatd.redact_names' not in sys.modules\n"
        "redact('the key finding: API_KEY=abc123def456 and ' + 'gh' + 'p_' + 'a1B2' * 9 + ' at https://me:pw1234@host')\n"
        "assert 'neatd.redact_names' in sys.modules and 'detect_secrets' not in sys.modules\n"
        "assert redact('mc ' + '0123456789abcdef' * 2 + '-us12') == 'mc [secret removed]'\n"
        "assert 'detect_secrets' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)

"""neat's server in Codex's config.toml: a block at the end, taken out to the byte; what is odd is left alone."""

from __future__ import annotations

import tomllib

import pytest

from neatd.assist.tomltext import with_server, without_server

FILES = {
    "none": b"",
    "a table": b'model = "x"  # mine\n\n[mcp_servers.other]\ncommand = "o"\n',
    "crlf": b'model = "x"\r\n[a]\r\nb = 1\r\n',
    "no last newline": b"[a]\nb = 1",
    "an array of tables": b"[[a]]\nb = 1\n[[a]]\nb = 2\n",
    "only a comment": b"# nothing yet",
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_the_server_goes_in_and_out_to_the_byte(content: bytes) -> None:
    """Everything else says what it said; twice is harmless."""
    new = with_server(content, "neat", ["mcp"])
    said = tomllib.loads(new.decode())
    assert said["mcp_servers"].pop("neat") == {"command": "neat", "args": ["mcp"]}
    before = tomllib.loads(content.decode())
    assert said == {"mcp_servers": {}, **before}
    assert with_server(new, "neat", ["mcp"]) == new
    assert without_server(new) == content and without_server(content) == content


def test_an_older_command_is_replaced_in_place() -> None:
    """With quotes and letters of other alphabets; what stands below in tables of its own stays."""
    old = with_server(b"a = 1\n", "/old/neat", ["mcp"]) + b"[below]\nb = 2\n"
    new = with_server(old, 'C:\\Prógram "Files"\\neat 🐍', ["mcp"])
    assert tomllib.loads(new.decode())["mcp_servers"]["neat"]["command"] == 'C:\\Prógram "Files"\\neat 🐍'
    assert without_server(new) == b"a = 1\n[below]\nb = 2\n"


def test_what_a_person_added_to_the_table_stays() -> None:
    """In the block or right below it, in keys or in tables of its own; another command changes the command alone."""
    new = with_server(b"a = 1\n", "neat", ["mcp"])
    inside = new.replace(b"# neat:end", b"startup_timeout_sec = 30 # slow\n[mcp_servers.neat.env]\nA = 'b'\n# neat:end")
    below = new + b"enabled = false\n"
    for mine in (inside, below):
        assert with_server(mine, "neat", ["mcp"]) == mine
        changed = with_server(mine, "/opt/neat", ["mcp"])
        assert changed == mine.replace(b'"neat"', b'"/opt/neat"')
    assert without_server(inside) == b"a = 1\n"


ODD = {
    "no toml": (b"a = = 1\n", "no TOML"),
    "not utf-8": (b'a = "\xe9"\n', "no TOML"),
    "a byte order mark": (b"\xef\xbb\xbfa = 1\n", "no TOML"),
    "a table of theirs": (b'[mcp_servers.neat]\ncommand = "x"\n', "has a table"),
    "one inline": (b'mcp_servers = {other = {command = "x"}}\n', "no room"),
    "servers that are none": (b"mcp_servers = 3\n", "no table"),
    "no table in the block": (b"# neat:begin\n[mcp_servers]\nneat = 3\n# neat:end\n", "no table"),
    "half a block": (b"# neat:begin\n", "damaged"),
}


@pytest.mark.parametrize(("content", "reason"), ODD.values(), ids=ODD)
def test_what_is_odd_is_left_alone(content: bytes, reason: str) -> None:
    """With the reason."""
    with pytest.raises(ValueError, match=reason):
        with_server(content, "neat", ["mcp"])


def test_keys_that_somebody_wrote_below_the_block_are_not_moved() -> None:
    """They are part of our table; without its heading they would be part of another."""
    content = with_server(b"[a]\nb = 1\n", "neat", ["mcp"]) + b"c = 2\n"
    with pytest.raises(ValueError, match="move it up"):
        without_server(content)

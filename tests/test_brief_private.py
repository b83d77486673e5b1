"""Addresses, ports and key paths stay out of documents; what only looks like one stays in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neatd.knowledge import Machine, Note, Service
from neatd.private import ADDRESS, COMMAND, KEY, PORT, might_hold_address, private_text, without_private
from tests.cost import at_most
from tests.facts_made import record


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("root@203.0.113.7", ADDRESS),
        ("at 203.0.113.7:2222.", f"at {ADDRESS}."),
        ("http://203.0.113.7:6006/runs", f"http://{ADDRESS}/runs"),
        ("host=198.51.100.24", f"host={ADDRESS}"),
        ("the net 198.51.100.0/24", f"the net {ADDRESS}"),
        ("fe80::1 and 2001:db8:0:0:0:0:2:1", f"{ADDRESS} and {ADDRESS}"),
        ("me@gpu-7.uni.example", ADDRESS),
        ("ubuntu@gpubox is up", f"{ADDRESS} is up"),
        ("ssh -i ~/.ssh/cloud_key root@203.0.113.7 -p 22", COMMAND),
        ("`ssh gpu-box`", f"`{COMMAND}`"),
        ("$ ssh gpu-box", f"$ {COMMAND}"),
        ("run ssh -p 2222 box to get in", f"run {COMMAND} to get in"),
        ("then\nssh box\nand train", f"then\n{COMMAND}\nand train"),
        ("scp -P 22 a.pt me@box.example:/data", f"{COMMAND} {ADDRESS}:/data"),
        ("key ~/.ssh/id_ed25519, GPU A100", f"key {KEY}, GPU A100"),
        ("/home/me/.ssh/cloud", KEY),
        (r"C:\Users\me\.ssh\cloud", KEY),
        ("with keys/aws.pem", f"with {KEY}"),
        ("ec2-203-0-113-7.compute-1.amazonaws.com", ADDRESS),
        ("node.tail1234.ts.net:8080", ADDRESS),
    ],
)
def test_what_says_how_to_reach_a_machine_is_hidden(text: str, hidden: str) -> None:
    """Whatever stands around it stays."""
    assert private_text(text) == hidden


@pytest.mark.parametrize(
    "text",
    ["", "pass@1 and recall@k", "mAP@0.5", "git@github.com:org/repo.git", "http://127.0.0.1:6006", "bind 0.0.0.0:8000",
     "localhost:6006",
     "nvidia-cublas==12.4.5.8", "torch 2.3.1", "12:30:45", "ssh into the box and train", "the ssh key is lost", "std::vector",
     "a::b",
     "@torch.no_grad", "train.py", "val/dice@4000", "1.2.3.4.5", "256.1.1.1", "openssh is there", "grid id_rows"],
)  # fmt: skip
def test_what_is_no_address_stays(text: str) -> None:
    """Metrics at a rank, versions, times, public hosts, the machine itself, prose."""
    assert private_text(text) == text


def test_a_machine_loses_its_private_fields_and_every_mention_of_them() -> None:
    """Also a host by name and a port in its words; what it is stays."""
    machine = record(Machine, 1, "gpu-7", body="gpu-7 on port 2222, key at vault/k1; 58 GB", host="gpu-7", port="2222",
                     key="vault/k1", gpu="A100", driver="550.90.07")  # fmt: skip
    bare = without_private("machine", machine)
    assert (bare.host, bare.port, bare.key) == ("", "", "")
    assert bare.title == ADDRESS and bare.body == f"{ADDRESS} on port {PORT}, key at {ADDRESS}; 58 GB"
    assert (bare.gpu, bare.driver, bare.id) == ("A100", "550.90.07", machine.id)


def test_a_service_loses_its_url_and_a_note_stays_as_it_is() -> None:
    """Which fields are private is said by the table of kinds."""
    service = without_private(
        "service", record(Service, 1, "boards", body="see http://198.51.100.2:6006", url="http://box/")
    )
    assert service.url == "" and service.body == f"see http://{ADDRESS}"
    note = record(Note, 1, "root@203.0.113.7")
    assert without_private("note", note) is note


@pytest.mark.parametrize(
    "text",
    [
        "ssh -a b " * 12_000,
        "a" * 100_000,
        "1." * 50_000,
        "a:" * 50_000,
        "x@" * 50_000,
        ".ssh/" * 20_000,
        "a-." * 30_000,
    ],
)
def test_a_long_text_costs_little(text: str) -> None:
    """A hundred thousand characters of nearly an address take no quadratic time."""
    with at_most(1.5):
        private_text(text)


_PIECES = ["ssh ", "root", "@", "10", ".", ":", "::", "fe80", "1", "255", "id_rsa", ".ssh/", "x.pem", " ", "-i ", "host",
           ".lan", ".com", "abc", "192.168.1.7", "scp a", "/", "runpod.io", "a:b:c:d:e"]  # fmt: skip


@given(st.lists(st.sampled_from(_PIECES), max_size=12).map("".join))
@settings(max_examples=600)
def test_what_shows_no_sign_of_an_address_holds_none(text: str) -> None:
    """The quick look never passes over what the search would hide."""
    if not might_hold_address(text):
        assert _searched(text) == text


def _searched(text: str) -> str:
    """The search without the quick look before it: a sign that no pattern takes is put in front."""
    return private_text(f":: \n{text}").removeprefix(":: \n")

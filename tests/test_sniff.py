"""The head of a file tells whether it holds metrics; a data set is no metrics file."""

from __future__ import annotations

import json

import pytest

from neatd.read.sniff import HEAD_BYTES, SQLITE, sniff


def lines(*objects: object) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in objects)


@pytest.mark.parametrize(
    "head",
    [
        lines({"step": 1, "loss": 0.5}), lines({"epoch": 1, "val": {"acc": 0.5}}), b'{"global_step": 3, "loss": NaN}\n',
        lines({"note": "begin"}, {"iteration": 19, "total_loss": 1.5}), b'\xef\xbb\xbf{"step":1,"loss":2}\r\n',
        lines({"training_iteration": 1, "episode_reward_mean": 3.0, "node_ip": "10.0.0.1"}),
        lines({"train_loss": 1.0, "epoch": 0, "n_parameters": 3}), lines({"step": 1, "loss": 1}) + b'{"step": 2, "lo',
    ],
)  # fmt: skip
def test_json_lines_with_steps_and_numbers_are_metrics(head: bytes) -> None:
    """Under any name."""
    assert sniff("jsonl", head)


@pytest.mark.parametrize(
    "head",
    [
        b"", b"{", b"[1, 2]\n", b'{"step": 1, "loss": 0.5}', lines({"step": 1}), lines({"prompt": "x", "answer": "y"}),
        lines({"step": 1, "score": 2, "text": "long " * 60}), lines({"step": 1, "score": 2, "messages": [{"role": "u"}]}),
        lines({"step": 1, "loss": 2}, [1]), lines({"step": "first", "loss": 2}), lines({"id": 3, "label": 1}),
        b'{\n  "step": 1,\n  "loss": 2\n}\n', b"\x80\x81\n", lines({"step": 1, "loss": {"text": "y" * 300, "a": 1}}),
    ],
)  # fmt: skip
def test_other_json_is_not(head: bytes) -> None:
    """No step, no number beside it, prompts, one object over several lines, an unfinished first line."""
    assert not sniff("jsonl", head)


def test_the_first_line_of_openmmlab_is_a_long_text() -> None:
    """Its environment; under the usual name the lines behind it count."""
    head = lines(
        {"env_info": "sys.platform: linux\n" * 50, "seed": 0}, {"mode": "train", "epoch": 1, "iter": 50, "loss": 1.5}
    )
    assert sniff("jsonl", head, is_usual=True) and not sniff("jsonl", head)


def test_a_first_line_longer_than_any_head_counts_under_a_usual_name() -> None:
    """RLlib writes its whole configuration into each."""
    head = lines({"training_iteration": 1, "config": {"x": ["y" * 100] * 1000}})[:HEAD_BYTES]
    assert sniff("jsonl", head, is_usual=True, is_cut=True)
    assert not sniff("jsonl", head, is_cut=True) and not sniff("jsonl", head, is_usual=True)


@pytest.mark.parametrize(
    "head",
    [
        "epoch,step,train_loss,val_acc\n0,49,,0.5\n", "step\tloss\n1\t0.5\n", "Epoch;accuracy;lr\n1;0.5;NA\n",
        "\ufeffstep,loss\r\n1,inf\r\n", "rollout/ep_rew_mean,time/total_timesteps\n3.5,2048\n",
        "   epoch,   train/box_loss, metrics/mAP50(B)\n    1,   1.5,   0.25\n", 'step,"Train/Samples/train_loss"\n10,2.5\n',
        "timestamp,epoch,val_dice\n2025-01-01,1,0.9\n",
    ],
)  # fmt: skip
def test_a_table_with_steps_and_metrics_is_one(head: str) -> None:
    """Under any name, with any separator."""
    assert sniff("csv", head.encode())


@pytest.mark.parametrize(
    "head",
    [
        "", "step,loss\n", "step,loss\n1,0.", "id,label\n1,2\n", "step,text\n1,hello\n", "step,price\n1,2.5\n",
        "lr,seed,accuracy\n0.1,3,0.5\n", "step,loss\nfirst,0.5\n", "step,loss,note\n1,0.5," + "x" * 300 + "\n",
        "step,loss\n1,0.5,3\n", "a plain sentence\nand another\n", "step\n1\n", "PK\0\0,step\n1,2\n", "step,loss\n1,high\n",
    ],
)  # fmt: skip
def test_other_tables_are_not(head: str) -> None:
    """No step, no metric, no whole row, no number in it, other lengths, texts, something binary."""
    assert not sniff("csv", head.encode())


def test_under_a_usual_name_any_number_beside_a_step_is_enough() -> None:
    """But a step it must have: results.csv is also what studies are written up in."""
    assert sniff("csv", b"epoch,Q-value\n1,0.5\n", is_usual=True) and not sniff("csv", b"epoch,Q-value\n1,0.5\n")
    assert not sniff("csv", b"lr,seed,accuracy\n0.1,3,0.5\n", is_usual=True)
    assert not sniff("csv", b"epoch,name\n1,x\n", is_usual=True)


def test_a_monitor_of_stable_baselines_is_known() -> None:
    """JSON in its first line, and no step: a row is an episode."""
    head = b'#{"t_start": 1700000000.1, "env_id": "CartPole-v1"}\nr,l,t\n20.0,20,0.5\n'
    assert sniff("csv", head, is_usual=True) and not sniff("csv", head)


def test_a_table_wider_than_any_head_counts_under_a_usual_name() -> None:
    """Ten thousand columns."""
    head = ("step," + ",".join(f"layer/{n}/grad_norm" for n in range(10_000))).encode()[:HEAD_BYTES]
    assert sniff("csv", head, is_usual=True, is_cut=True) and not sniff("csv", head, is_cut=True)


def test_a_journal_is_known_by_its_first_operation() -> None:
    """Optuna's."""
    first = {"op_code": 0, "worker_id": "a-1", "study_name": "s", "directions": [1]}
    assert sniff("optuna_journal", lines(first)) and not sniff("optuna_journal", json.dumps(first).encode())
    assert not sniff("optuna_journal", lines({"op_code": "x", "worker_id": "a"})) and not sniff("optuna_journal", b"\n")


def test_a_database_is_known_by_its_header() -> None:
    """What is in it, its reader tells."""
    assert sniff("database", SQLITE + bytes(84)) and not sniff("database", b"SQLite format 2")


def test_a_text_is_asked_for_training() -> None:
    """Also behind a preamble of some kilobytes; what holds zero bytes is no text."""
    log = b"".join(b"step %d loss %f\n" % (n, 1 / (n + 1)) for n in range(50))
    assert sniff("text", log) and sniff("text", b"loading library\n" * 1500 + log)
    assert not sniff("text", b"GET /index.html 200\n" * 50) and not sniff("text", b"\0" * 100 + log)

"""Train a small byte-level GPT on the Python standard library's own source files.

    python train.py --out DIR [key=value ...]           (or --key value; trainer.yaml says what each means)

One program, to be read from top to bottom: parameters, text, model, files, evaluation, training. It shares nothing with
others but the folder DIR: config.json, metrics.jsonl, predictions.jsonl, checkpoints/.
Invariant: on a CPU, training is a function of the parameters alone. The batch of step s depends on (seed, s) only, so a
run that was stopped and resumed ends with the same weights, bit by bit, as one that was not.
Shapes: B windows in a batch, T bytes of context, D the width, H heads of D/H numbers each; there are 256 symbols.
"""

from __future__ import annotations

import bisect
import difflib
import gzip
import hashlib
import json
import lzma
import math
import os
import signal
import sys
import sysconfig
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, NoReturn, TextIO

# Threads that wait give their core away. With one other busy program on two cores, a step took 3.8 s without this and
# 0.26 s with it; alone it makes no difference. Has to stand before torch starts its threads.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

# ---- parameters ----


@dataclass(frozen=True)
class Parameters:
    """What can be set on the command line; the types are those of the defaults."""

    steps: int = 600
    batch: int = 16
    context: int = 128
    layers: int = 3
    dim: int = 96
    heads: int = 4
    lr: float = 3e-3
    warmup: int = 30
    weight_decay: float = 0.1
    eval_every: int = 50
    eval_windows: int = 64
    save_every: int = 50
    log_every: int = 1
    seed: int = 1
    data_mb: float = 12.0
    data: str = ""
    device: str = "auto"
    dtype: str = "auto"
    threads: int = 0
    resume: bool = False
    more: int = 0
    fault_at: int = 0
    fault_steps: int = 5
    fault_factor: float = 30.0


MAY_BE_ZERO = ("warmup", "weight_decay", "eval_every", "save_every", "seed", "threads", "more", "fault_at")
SHAPE = ("context", "layers", "dim", "heads")  # a checkpoint fits only a model that agrees in these


def fail(what: str, hint: str) -> NoReturn:
    """End with two lines on stderr and exit code 2: a mistake of the caller's deserves no traceback."""
    print(f"error: {what}\nhint: {hint}", file=sys.stderr)
    raise SystemExit(2)


def convert(key: str, text: str, default: Any) -> Any:
    """`text` as a value of the type of `default`; numbers must be finite and positive, some may be zero."""
    kind, truths = type(default), {"true": True, "1": True, "false": False, "0": False}
    try:
        value = truths[text.lower()] if kind is bool else kind(text)
    except (ValueError, KeyError):
        fail(f"{key}={text} is not of type {kind.__name__}", f"for example {key}={default}, the default")
    if kind in (int, float) and not (0 < value < math.inf or (value == 0 and key in MAY_BE_ZERO)):
        fail(f"{key}={text} is out of range", f"for example {key}={default}, the default")
    return value


def parse(argv: list[str]) -> tuple[Path, Parameters]:
    """The out folder and the parameters from `key=value`, `--key=value` and `--key value`."""
    defaults, words = asdict(Parameters()), iter(argv)
    given: dict[str, Any] = {"out": ""}
    for word in words:
        key, has_value, text = word.removeprefix("--").partition("=")
        if key not in {*defaults, "out"}:
            closest = difflib.get_close_matches(key, [*defaults, "out"], n=1, cutoff=0.0)[0]
            fail(f"unknown parameter {key}", f"did you mean {closest}? There are: out {' '.join(defaults)}")
        text = text if has_value else next(words, "")
        given[key] = text if key == "out" else convert(key, text, defaults[key])
    out, p = given.pop("out"), Parameters(**given)
    if not out:
        fail("no folder to write to", "python train.py --out DIR [key=value ...]")
    if p.dim % (2 * p.heads):
        fail(f"dim={p.dim} does not fit heads={p.heads}", "each head turns pairs: dim is a multiple of 2 * heads")
    if p.context <= ANSWER:
        fail(f"context={p.context} is too short", f"more than {ANSWER} bytes are needed for the examples")
    return Path(out), p


def pick_device(p: Parameters) -> tuple[str, str]:
    """(device, dtype): the fastest device there is, and bfloat16 where the hardware multiplies in it."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    device = next(name for name, is_there in there.items() if is_there) if p.device == "auto" else p.device
    if not there.get(device):
        fail(f"device={device} is not available", f"there is: auto {' '.join(name for name in there if there[name])}")
    if p.dtype not in ("auto", "float32", "bfloat16"):
        fail(f"dtype={p.dtype} is unknown", "one of auto float32 bfloat16")
    has_bfloat16 = device == "cuda" and torch.cuda.is_bf16_supported()
    return device, ("bfloat16" if has_bfloat16 else "float32") if p.dtype == "auto" else p.dtype


# ---- text ----

# Tests repeat each other; encodings and pydoc_data are generated tables; _sysconfigdata is another on each machine.
SKIPPED = {"site-packages", "dist-packages", "test", "tests", "idle_test", "encodings", "pydoc_data"}
PIECE = 16_384  # bytes; the final score is taken on up to 16 such pieces (256 KiB) from all over the validation text


class Text(NamedTuple):
    """Files joined into one row of bytes: names[i] begins at starts[i]."""

    names: list[str]
    starts: list[int]
    data: np.ndarray  # (n,) uint8


def find_files(root: Path) -> list[str]:
    """The .py files below `root` as relative names with /, sorted as text: the same order on every system."""
    names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.py"))
    return [n for n in names if not SKIPPED & set(n.split("/")) and not n.startswith("_sysconfigdata")]


def is_validation(name: str) -> bool:
    """One package or single module in ten, by the hash of its name: a package is never on both sides."""
    return hashlib.sha256(name.split("/")[0].encode()).digest()[0] % 10 == 0


def read_text(root: Path, names: list[str], limit: int) -> Text:
    """The files in order up to `limit` bytes, where the last one is cut."""
    kept, starts, data = [], [], bytearray()
    for name in names:
        if len(data) < limit:
            kept.append(name)
            starts.append(len(data))
            data += (root / name).read_bytes()[: limit - len(data)]
    return Text(kept, starts, np.frombuffer(data, np.uint8))


def read_corpus(p: Parameters) -> tuple[Text, Text]:
    """(train, validation): at most nine tenths and one tenth of `data_mb` million bytes.

    A file of `data` takes the place of the training text alone: scores stay scores of the same unseen text.
    """
    root, limit = Path(sysconfig.get_path("stdlib")), int(p.data_mb * 100_000)
    names = find_files(root)
    if p.data and not Path(p.data).is_file():
        fail(f"data={p.data} is no file", "name a file of text; without `data` the standard library's sources are read")
    own = (Path(p.data).parent, [Path(p.data).name]) if p.data else (root, [n for n in names if not is_validation(n)])
    train = read_text(*own, 9 * limit)
    val = read_text(root, [n for n in names if is_validation(n)], limit)
    if len(val.data) <= max(PIECE, p.context):
        fail(f"too little text: data_mb={p.data_mb}, sources in {root}", "raise data_mb; Python needs its .py files")
    if len(train.data) <= p.context:
        fail(f"data={p.data} is too short", f"more than context={p.context} bytes are needed")
    return train, val


def windows(data: Tensor, starts: np.ndarray, context: int) -> Tensor:
    """(N, T+1) byte values: [:, :-1] are the inputs, and [:, 1:], one byte later, what is to be predicted."""
    places = torch.from_numpy(starts)[:, None] + torch.arange(context + 1)
    return data[places.to(data.device)].long()


def batch_starts(p: Parameters, step: int, n_bytes: int) -> np.ndarray:
    """(B,) random window starts, a function of (seed, step): resuming needs no state of a reader."""
    return np.random.default_rng([p.seed, step]).integers(0, n_bytes - p.context, p.batch)


# ---- model ----


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn pairs of numbers of x (B, H, T, D/H) by angles (T, D/H/2) that grow with the position."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1).to(x.dtype)


class Block(nn.Module):
    """Attention, then a two-layer network; each adds to the stream x (B, T, D) that runs through the model."""

    def __init__(self, p: Parameters) -> None:
        super().__init__()
        self.heads = p.heads
        self.norm_1, self.norm_2 = nn.RMSNorm(p.dim), nn.RMSNorm(p.dim)
        self.qkv = nn.Linear(p.dim, 3 * p.dim, bias=False)
        self.out = nn.Linear(p.dim, p.dim, bias=False)
        self.up = nn.Linear(p.dim, 4 * p.dim, bias=False)
        self.down = nn.Linear(4 * p.dim, p.dim, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        b, t, d = x.shape
        q, k, v = self.qkv(self.norm_1(x)).view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        # The product of two turned vectors depends on their distance: attention learns "two bytes ago", not "byte 57".
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)  # (B, H, T, D/H); none sees a later byte
        x = x + self.out(y.transpose(1, 2).reshape(b, t, d))
        return x + self.down(F.relu(self.up(self.norm_2(x))).square())


class GPT(nn.Module):
    """Bytes (B, T) in, logits (B, T, 256) out: at each position a score for each possible next byte."""

    cos: Tensor  # (T, D/2H), as is sin: the angles of `rotate`
    sin: Tensor

    def __init__(self, p: Parameters) -> None:
        super().__init__()
        self.embed = nn.Embedding(256, p.dim)  # serves as output layer too: symbols that act alike are learnt once
        self.blocks = nn.ModuleList(Block(p) for _ in range(p.layers))
        self.norm = nn.RMSNorm(p.dim)
        n_pairs = p.dim // p.heads // 2
        angles = torch.outer(torch.arange(p.context), 10_000.0 ** (-torch.arange(n_pairs) / n_pairs))  # fast to slow
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        for name, w in self.named_parameters():
            if w.dim() == 2:  # matrices; the gains of the norms stay 1
                # 0.05 and not the 0.02 of wide models: at D = 96 it was worth 0.3 bits per byte after 400 steps.
                # What is added to the stream starts smaller, lest depth make the stream louder.
                is_added = name.endswith(("out.weight", "down.weight"))
                nn.init.normal_(w, std=0.05 / math.sqrt(2 * p.layers) if is_added else 0.05)

    def forward(self, ids: Tensor) -> Tensor:
        x, t = self.embed(ids), ids.shape[1]
        for block in self.blocks:
            x = block(x, self.cos[:t], self.sin[:t])
        return (self.norm(x) @ self.embed.weight.T).float()


def make_optimizer(model: nn.Module, p: Parameters) -> torch.optim.AdamW:
    """AdamW that lets matrices decay and leaves gains alone. Beta 0.95: a short run cannot average 1,000 steps."""
    groups = [{"params": [w for w in model.parameters() if w.dim() == 2], "weight_decay": p.weight_decay}]
    groups += [{"params": [w for w in model.parameters() if w.dim() != 2], "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=p.lr, betas=(0.9, 0.95))


def is_fault(step: int, p: Parameters) -> bool:
    """True for the steps whose learning rate is spoilt on purpose, to see whether anybody notices."""
    return 0 < p.fault_at <= step < p.fault_at + p.fault_steps


def learning_rate(step: int, p: Parameters) -> float:
    """Straight up during warmup, then half a cosine down to a tenth; multiplied while the fault lasts."""
    share = min(1.0, (step - p.warmup) / max(1, p.steps - p.warmup))  # of the descent, below 0 before it
    lr = p.lr * (step / p.warmup if step < p.warmup else 0.1 + 0.45 * (1 + math.cos(math.pi * share)))
    return lr * p.fault_factor if is_fault(step, p) else lr


# ---- files ----


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write beside `path`, fsync, rename: whoever looks finds the old file or the new one, never a part."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def open_log(path: Path) -> TextIO:
    """Open for appending; a line that a crash cut off is ended first, so that it spoils no other."""
    log = path.open("a", encoding="utf-8", newline="\n")
    if path.stat().st_size and not path.read_bytes().endswith(b"\n"):
        log.write("\n")
    return log


def write_line(log: TextIO, line: dict[str, Any]) -> None:
    """Append one JSON object, flushed: a step can be seen as soon as it is done."""
    print(json.dumps(line), file=log, flush=True)


# ---- evaluation ----

ANSWER, PROMPT = 4, 48  # bytes to be completed at the end of a validation window, bytes shown before them


@torch.no_grad()
def predict(model: nn.Module, rows: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """(N, T) nats and (N, T) most probable bytes for windows (N, T+1), 64 at a time to keep memory small."""
    nats, guesses = [], []
    for part in rows.split(64):
        logits = model(part[:, :-1])
        nats.append(F.cross_entropy(logits.transpose(1, 2), part[:, 1:], reduction="none").cpu())
        guesses.append(logits.argmax(-1).cpu())
    return torch.cat(nats).double().numpy(), torch.cat(guesses).numpy()


def evaluate(model: nn.Module, val: Text, data: Tensor, p: Parameters) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """Metrics, and one prediction for each window; the windows are evenly spread, the same at each call.

    An example is correct when the model's first choice is right for each of the last ANSWER bytes, given the true bytes
    before it: exactly then greedy completion of the prompt, byte by byte, gives the expected answer.
    """
    starts = np.unique(np.linspace(0, len(val.data) - p.context - 1, p.eval_windows).astype(np.int64))
    rows = windows(data, starts, p.context)
    nats, guesses = predict(model, rows)
    truth, predictions = rows[:, 1:].cpu().numpy(), []
    for i, start in enumerate(starts.tolist()):
        file = bisect.bisect_right(val.starts, start) - 1
        texts = truth[i, -ANSWER - PROMPT : -ANSWER], truth[i, -ANSWER:], guesses[i, -ANSWER:]
        prompt, expected, answer = (t.astype(np.uint8).tobytes().decode(errors="replace") for t in texts)
        result = {"id": f"{val.names[file]}@{start - val.starts[file]}", "correct": bool((texts[1] == texts[2]).all())}
        result |= {"loss": float(nats[i].mean()), "prompt": prompt, "expected": expected, "answer": answer}
        predictions.append(result)
    loss, accuracy = float(nats.mean()), float((guesses == truth).mean())
    return {"val/loss": loss, "val/bits_per_byte": loss / math.log(2), "val/accuracy": accuracy}, predictions


def final_score(model: nn.Module, data: Tensor, p: Parameters) -> str:
    """Our bits per byte beside gzip's and xz's on the very same bytes.

    Ours sees at most T bytes back and has learnt from other files; the compressors see more and have learnt nothing.
    """
    pieces = data[: len(data) // PIECE * PIECE].view(-1, PIECE)
    chosen = pieces[:: math.ceil(len(pieces) / 16)].flatten()
    count = (len(chosen) - 1) // p.context
    chosen = chosen[: count * p.context + 1]  # whole windows; the very first byte is predicted by nothing: 8 bits
    nats, _ = predict(model, windows(chosen, np.arange(count) * p.context, p.context))
    plain = chosen.cpu().numpy().tobytes()
    ours = (nats.sum() / math.log(2) + 8) / len(plain)
    zipped, xzed = len(gzip.compress(plain, 9)), len(lzma.compress(plain, preset=9 | lzma.PRESET_EXTREME))
    return f"ours {ours:.2f} | gzip {8 * zipped / len(plain):.2f} | xz {8 * xzed / len(plain):.2f}"


# ---- training ----


class Run:
    """The model, its optimizer and the text of one run, and the folder that it is written to."""

    def __init__(self, out: Path, p: Parameters) -> None:
        self.out, self.p = out, p
        self.device, self.dtype = pick_device(p)
        self.step, self.saved = 0, 0  # steps done; the step of the newest checkpoint
        self.best = math.inf  # lowest validation loss so far, nats per byte
        self.signal = 0  # the number of the signal that asked for an end
        torch.manual_seed(p.seed)  # the first weights are all that is drawn from torch's generator
        self.model = GPT(p).to(self.device)
        self.optimizer = make_optimizer(self.model, p)
        self.train, self.val = read_corpus(p)
        self.train_data, self.val_data = (torch.from_numpy(t.data).to(self.device) for t in (self.train, self.val))

    def open(self) -> None:
        """Write config.json, resume if asked to, open the logs. A folder that holds a run is never begun anew."""
        saves = self.out / "checkpoints"
        if (self.out / "metrics.jsonl").exists() and not self.p.resume:
            fail(f"{self.out} already holds a run", "choose another folder, or continue with resume=true")
        saves.mkdir(parents=True, exist_ok=True)
        for unfinished in saves.glob(".*.pt.tmp"):  # left by a process that was killed while it saved
            unfinished.unlink()
        newest = max(saves.glob("step_*.pt"), key=lambda path: int(path.stem[5:]), default=None)
        if newest and self.p.resume:
            self.restore(torch.load(newest, map_location="cpu", weights_only=True))
        if self.p.more:
            self.p = replace(self.p, steps=self.step + self.p.more)
        self.config = {**asdict(self.p), "max_steps": self.p.steps, "device": self.device, "dtype": self.dtype}
        self.config["parameter_count"] = sum(w.numel() for w in self.model.parameters())
        self.config |= {"torch_version": str(torch.__version__), "train_bytes": len(self.train.data)}
        text = json.dumps(self.config, indent=1).encode()
        write_atomically(self.out / "config.json", lambda file: file.write(text))
        self.metrics, self.predictions = (open_log(self.out / f"{n}.jsonl") for n in ("metrics", "predictions"))

    def restore(self, saved: dict[str, Any]) -> None:
        """Continue after a checkpoint. The model's shape must agree; the other parameters may be new ones."""
        for key in SHAPE:
            old, new = saved["config"][key], getattr(self.p, key)
            if old != new:
                fail(f"{key}={new} does not fit the checkpoint", f"resume with {key}={old}")
        self.model.load_state_dict(saved["model"])
        decays = [group["weight_decay"] for group in self.optimizer.param_groups]
        self.optimizer.load_state_dict(saved["optimizer"])
        for group, decay in zip(self.optimizer.param_groups, decays, strict=True):
            group["weight_decay"] = decay
        torch.set_rng_state(saved["rng"])
        self.step, self.saved, self.best = saved["step"], saved["step"], saved["best"]
        print(f"resumed after step {self.step}", flush=True)

    def save(self, name: str) -> None:
        state: dict[str, Any] = {"step": self.step, "best": self.best, "config": self.config}
        state |= {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
        state["rng"] = torch.get_rng_state()
        write_atomically(self.out / "checkpoints" / name, lambda file: torch.save(state, file))

    def save_step(self) -> None:
        self.save(f"step_{self.step:06d}.pt")
        self.saved = self.step

    def autocast(self) -> torch.autocast:
        """Matrix products in bfloat16 if so chosen; weights, sums and the optimizer stay float32."""
        return torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.dtype == "bfloat16")

    def train_step(self) -> dict[str, Any]:
        """One update. Returns the metrics line; its loss is that of the batch before the update, nats per byte."""
        p, step, began = self.p, self.step + 1, time.perf_counter()
        rows = windows(self.train_data, batch_starts(p, step, len(self.train_data)), p.context)
        with self.autocast():
            logits = self.model(rows[:, :-1])  # (B, T, 256)
        loss = F.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())
        self.optimizer.zero_grad()
        loss.backward()
        # Clipping tames one odd batch, not a wrong learning rate: Adam divides the gradient by its own size anyway.
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        lr = learning_rate(step, p)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.step()
        self.step = step
        line = {"step": step, "time": time.time(), "train/loss": loss.item(), "train/lr": lr}
        line |= {"train/grad_norm": norm.item()}
        line["train/tokens_per_s"] = rows[:, 1:].numel() / (time.perf_counter() - began)
        return line | ({"fault": 1} if is_fault(step, p) else {})

    def evaluate(self) -> None:
        """Measure on unseen files, write it down, and keep the weights if they are the best so far."""
        with self.autocast():
            values, predictions = evaluate(self.model, self.val, self.val_data, self.p)
        write_line(self.metrics, {"step": self.step, "time": time.time(), **values})
        for prediction in predictions:
            write_line(self.predictions, {"step": self.step, **prediction})
        bits, accuracy = values["val/bits_per_byte"], values["val/accuracy"]
        print(f"step {self.step}/{self.p.steps}: {bits:.3f} bits per unseen byte, {accuracy:.0%} right", flush=True)
        if values["val/loss"] < self.best:  # not so when it is NaN
            self.best = values["val/loss"]
            self.save("best.pt")

    def fit(self) -> None:
        """Train to the last step or the end of the one in which a signal came; where it ends there is a checkpoint."""
        p = self.p
        while self.step < p.steps and not self.signal:
            if self.step + 1 == p.fault_at:
                print(f"step {p.fault_at}: planted fault, lr x{p.fault_factor:g} for {p.fault_steps} steps", flush=True)
            line = self.train_step()
            is_last = self.step == p.steps
            if is_last or "fault" in line or self.step % p.log_every == 0:
                write_line(self.metrics, line)
            if is_last or (p.eval_every and self.step % p.eval_every == 0):
                self.evaluate()
            if p.save_every and self.step % p.save_every == 0:
                self.save_step()
        if self.step != self.saved:
            self.save_step()

    def stop(self, signum: int, _frame: object) -> None:
        """Ask for an end after this step; who asks twice does not want to wait."""
        self.signal = signum
        signal.signal(signum, signal.SIG_DFL)


def main(argv: list[str]) -> int:
    """Train. Returns the exit code: 0 done, 143 after SIGTERM, 130 after Ctrl-C; a mistake exits with 2."""
    if {"-h", "--help"} & set(argv):
        print(__doc__, *(f"  {key}={value}" for key, value in asdict(Parameters()).items()), sep="\n")
        return 0
    out, p = parse(argv)
    if p.threads:
        torch.set_num_threads(p.threads)
    run = Run(out, p)
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, run.stop)
    run.open()
    with run.metrics, run.predictions:
        run.fit()
    if run.signal:
        print(f"stopped by signal {run.signal} after step {run.step}; continue with resume=true", flush=True)
        return 128 + run.signal
    with run.autocast():
        print(f"bits per byte on unseen files: {final_score(run.model, run.val_data, p)}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""Writes event files with torch's SummaryWriter: `… FOLDER IMAGES SCALARS`; prints the path of the file."""

import json
import sys
from pathlib import Path

import numpy as np
from torch.utils.tensorboard import SummaryWriter

SIDE = 256  # pixels: noise of 3 x 256 x 256 is a PNG of 197 kB, 200 of them are 39 MB
TAGS = ("train/loss", "train/lr", "train/grad_norm", "train/acc", "throughput")

folder, images, scalars = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
random = np.random.default_rng(1)
values = random.standard_normal(scalars).tolist()
tags = TAGS if scalars >= 10 * len(TAGS) and not images else TAGS[:1]
with SummaryWriter(str(folder), max_queue=1000) as writer:
    for number, value in enumerate(values):
        if number < images:
            writer.add_image("sample", random.integers(0, 256, (3, SIDE, SIDE), dtype=np.uint8), number)
        writer.add_scalar(tags[number % len(tags)], value, number // len(tags))
(path,) = folder.glob("events.out.tfevents.*")
print(json.dumps(str(path)))

"""Stable-Baselines3's progress.csv, which is rewritten when new keys come, and monitor.csv, an episode a row."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import gymnasium
from stable_baselines3 import PPO
from stable_baselines3.common.logger import KVWriter, configure
from stable_baselines3.common.monitor import Monitor

from tests.written.expected import Series, case_folder, save


class Recorder(KVWriter):
    """Keeps each dump, and progress.csv as it stood before the dump that brought new keys."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.series, self.dumps = folder, Series(), 0

    def write(self, key_values: dict[str, Any], key_excluded: dict[str, tuple[str, ...]], step: int = 0) -> None:
        """Comes behind the writer of the CSV file."""
        self.dumps += 1
        shutil.copy(self.folder / "progress.csv", self.folder / f"progress-{self.dumps}.csv")
        for name, value in key_values.items():
            if isinstance(value, str) or "csv" in (key_excluded[name] or ()) or name == "time/total_timesteps":
                continue
            at = int(key_values["time/total_timesteps"])
            self.series.setdefault(name, []).append((at, float(str(value))))  # float32 is written with 7 digits

    def close(self) -> None:
        """Nothing is open."""


class Numbered(Monitor):
    """Keeps each episode as the monitor told it."""

    def __init__(self, env: Any, path: str) -> None:
        super().__init__(env, path)
        self.series: Series = {"monitor/r": [], "monitor/l": []}

    def step(self, action: Any) -> Any:
        """An episode's summary comes with its last step."""
        found = super().step(action)
        if "episode" in found[4]:
            at = len(self.series["monitor/r"]) + 1
            self.series["monitor/r"].append((at, float(found[4]["episode"]["r"])))
            self.series["monitor/l"].append((at, float(found[4]["episode"]["l"])))
        return found


def main(out: Path) -> None:
    """A short PPO on CartPole."""
    folder = case_folder(out, "stable-baselines3", "ppo")
    env = Numbered(gymnasium.make("CartPole-v1"), str(folder / "monitor.csv"))
    model = PPO("MlpPolicy", env, n_steps=64, batch_size=32, n_epochs=1, seed=3, device="cpu")
    logger, recorder = configure(str(folder), ["csv"]), Recorder(folder)
    logger.output_formats.append(recorder)
    model.set_logger(logger)
    model.learn(384)
    env.close()
    logger.close()
    for number in range(3, recorder.dumps + 1):
        (folder / f"progress-{number}.csv").unlink()
    start = json.loads((folder / "monitor.csv").read_text().splitlines()[0][1:])["t_start"]
    files = {"progress.csv": recorder.series, "monitor.csv": env.series}
    save(folder, files, {"monitor.csv": {"started_at": start, "config": {"env_id": "CartPole-v1"}}})


if __name__ == "__main__":
    main(Path(sys.argv[1]))

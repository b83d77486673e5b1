"""Keras' CSVLogger on the torch backend: without validation ("NA"), with it, another separator, lists, appended."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np

from tests.written.expected import Series, case_folder, save

X, Y = np.linspace(0, 1, 16, dtype="float32").reshape(16, 1), np.linspace(1, 0, 16, dtype="float32").reshape(16, 1)


class Recorder(keras.callbacks.Callback):
    """Keeps the logs of each epoch; before, it adds a list and a NaN to them."""

    def __init__(self, series: Series) -> None:
        super().__init__()
        self.series = series

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Comes before CSVLogger, so that it writes what is added here."""
        assert logs is not None
        for name, value in {**logs, "odd": float("nan" if epoch == 1 else "inf")}.items():
            self.series.setdefault(name, []).append((epoch, float(value)))
        logs["odd"] = self.series["odd"][-1][1]
        logs["classes"] = [1, 2.5, epoch]


def fit(path: Path, series: Series, first: int, last: int, has_val: bool, **options: Any) -> None:
    """Train from one epoch to another with a CSVLogger that writes to `path`."""
    keras.utils.set_random_seed(2)
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(2), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse", metrics=["mae"])
    callbacks = [Recorder(series), keras.callbacks.CSVLogger(path, **options)]
    named: dict[str, Any] = {"validation_data": (X, Y)} if has_val else {}
    model.fit(X, Y, epochs=last, initial_epoch=first, batch_size=4, verbose=0, callbacks=callbacks, **named)


def main(out: Path) -> None:
    """Three files in one case."""
    folder = case_folder(out, "keras", "csvlogger")
    plain: Series = {}
    fit(folder / "training.csv", plain, 0, 3, has_val=False)
    other: Series = {}
    fit(folder / "semicolon.csv", other, 0, 4, has_val=True, separator=";")
    appended: Series = {}
    fit(folder / "appended.log", appended, 0, 3, has_val=True, separator="\t")
    fit(folder / "appended.log", appended, 3, 5, has_val=True, separator="\t", append=True)
    save(folder, {"training.csv": plain, "semicolon.csv": other, "appended.log": appended})


if __name__ == "__main__":
    main(Path(sys.argv[1]))

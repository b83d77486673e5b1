"""Graphics processors: what the drivers' answers mean, AMD's from files, NVIDIA's through a small library with its calls,
and a machine that has none."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from neatd.read.amdgpu import read_amd
from neatd.read.gpu import RETRY_S, GpuReader, GpuSample, has_host_pids
from neatd.read.gpuvalues import Gpu, NvmlAnswers, cuda_version_of, gpu_of, held_by, throttling
from neatd.read.machine import machine_facts
from neatd.read.nvml import can_have_nvidia

GB = 1 << 30

# ---- what NVML's answers mean ----


def test_answers_become_values_in_their_units() -> None:
    """Milliwatts become watts; the rest is as the driver says it."""
    gpu = gpu_of(2, NvmlAnswers(b"GPU-1", "NVIDIA H200", 97, 90 * GB, 141 * GB, 412_500, 61, 0x24, ((812, 80 * GB),)))
    assert (gpu.number, gpu.uuid, gpu.name) == (2, "GPU-1", "NVIDIA H200")
    assert gpu.values() == {
        "utilization_percent": 97.0, "memory_used_bytes": 90.0 * GB, "memory_total_bytes": 141.0 * GB, "power_w": 412.5,
        "temperature_c": 61.0, "throttled": 1.0,
    }  # fmt: skip
    assert gpu.throttled_by == ("power cap", "software thermal slowdown") and gpu.processes == {812: 80 * GB}


def test_a_refused_question_is_not_a_zero() -> None:
    """A processor cut into parts tells no utilisation, a laptop's no power: such a series is not there."""
    assert gpu_of(0, NvmlAnswers(uuid="GPU-1")).values() == {}


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (0x0, ()), (0x1, ()), (0x2 | 0x100 | 0x10, ()), (0x8, ("hardware slowdown",)),
        (0x40 | 0x80, ("hardware thermal slowdown", "power brake")),
    ],
)  # fmt: skip
def test_being_idle_or_set_is_no_throttling(mask: int, expected: tuple[str, ...]) -> None:
    """A clock that is low because nothing runs, or because somebody set it, is none that was taken away."""
    assert throttling(mask) == expected


def test_a_process_that_computes_and_draws_counts_once() -> None:
    """Both lists hold it with the same memory; without a number it is left out."""
    assert held_by([(7, 100), (8, None), (7, 120), (9, 0)]) == {7: 120, 9: 0}


def test_versions_of_cuda_are_numbers_in_thousands() -> None:
    """0 is what a driver without it says."""
    assert [cuda_version_of(one) for one in (12040, 13000, 11080, 0)] == ["12.4", "13.0", "11.8", ""]


def test_a_runs_memory_is_that_of_its_processes() -> None:
    """Summed over its workers on each processor; in a container nothing is said, since the numbers are the host's."""
    gpus = (Gpu(0, processes={812: 5, 813: 7, 99: 1000}), Gpu(1, processes={99: 1}), Gpu(2, processes={813: 2}))
    seen = GpuSample(gpus, shows_processes=True)
    expected = {"system/gpu0/process_memory_bytes": 12.0, "system/gpu2/process_memory_bytes": 2.0}
    assert seen.of_processes({812, 813}) == expected
    assert seen._replace(shows_processes=False).of_processes({812, 813}) == {}


# ---- AMD ----


def amd_card(root: Path, number: int, **files: str) -> None:
    device = root / "sys" / "class" / "drm" / f"card{number}" / "device"
    usual = {
        "vendor": "0x1002\n", "device": "0x740f\n", "unique_id": "8f1e\n", "product_name": "Instinct MI210\n",
        "gpu_busy_percent": "42\n", "mem_info_vram_used": "1073741824\n", "mem_info_vram_total": "68702699520\n",
        "hwmon/hwmon3/power1_average": "98000000\n", "hwmon/hwmon3/temp1_input": "51000\n",
    }  # fmt: skip
    for name, text in (usual | files).items():
        (device / name).parent.mkdir(parents=True, exist_ok=True)
        if text:
            (device / name).write_text(text)


def test_amds_cards_are_read_from_files(tmp_path: Path) -> None:
    """Microwatts and thousandths of degrees become watts and degrees."""
    amd_card(tmp_path, 1)
    (gpu,) = read_amd(tmp_path)
    assert (gpu.name, gpu.uuid, gpu.number) == ("Instinct MI210", "8f1e", 0)
    assert gpu.values() == {
        "utilization_percent": 42.0, "memory_used_bytes": 1073741824.0, "memory_total_bytes": 68702699520.0,
        "power_w": 98.0, "temperature_c": 51.0,
    }  # fmt: skip


def test_cards_of_others_and_outputs_are_no_amd_cards(tmp_path: Path) -> None:
    """A connector is named like its card; an integrated Intel has no memory of its own; ten comes after two."""
    amd_card(tmp_path, 10, product_name="", device="0x744c\n", unique_id="")
    amd_card(tmp_path, 2)
    amd_card(tmp_path, 0, vendor="0x8086\n")
    (tmp_path / "sys" / "class" / "drm" / "card2-DP-1").mkdir()
    assert [(gpu.number, gpu.name) for gpu in read_amd(tmp_path)] == [(0, "Instinct MI210"), (1, "AMD 0x744c")]


def test_an_older_driver_names_power_otherwise_and_leaves_some_out(tmp_path: Path) -> None:
    """What is not there is not known."""
    amd_card(
        tmp_path,
        0,
        gpu_busy_percent="",
        **{"hwmon/hwmon3/power1_average": "", "hwmon/hwmon3/power1_input": "7000000\n"},
    )
    (gpu,) = read_amd(tmp_path)
    assert gpu.power_w == 7.0 and gpu.utilization_percent is None


def test_series_of_amds_cards_bear_their_numbers(tmp_path: Path) -> None:
    """Each card has its own."""
    amd_card(tmp_path, 0)
    amd_card(tmp_path, 1, gpu_busy_percent="7\n")
    values = GpuReader(tmp_path).sample(0.0).values()
    assert values["system/gpu0/utilization_percent"] == 42 and values["system/gpu1/utilization_percent"] == 7


# ---- none, or one that does not answer ----


def test_a_machine_without_one_says_so(tmp_path: Path) -> None:
    """No driver, no library: nothing is loaded and nothing is told."""
    sample = GpuReader(tmp_path).sample(0.0)
    assert sample == GpuSample() and sample.values() == {} and sample.of_processes({1}) == {}


def test_looking_loads_no_library_where_no_driver_can_be(tmp_path: Path) -> None:
    """In a fresh interpreter: the library's Python part is not even imported."""
    program = (
        "import sys\nfrom pathlib import Path\nfrom neatd.read.gpu import GpuReader\n"
        f"GpuReader(Path({str(tmp_path)!r})).sample(0.0)\nprint('pynvml' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def with_driver(root: Path) -> Path:
    """A machine on which a driver of NVIDIA's leaves its sign."""
    (root / "dev").mkdir(parents=True)
    (root / "dev" / "nvidiactl").touch()
    return root


@pytest.mark.skipif(sys.platform == "darwin" or os.name == "nt", reason="NVIDIA's sign is a file of Linux's")
def test_the_sign_of_a_driver_is_a_file(tmp_path: Path) -> None:
    """Then, and only then, the library is looked for."""
    assert not can_have_nvidia(tmp_path)
    assert can_have_nvidia(with_driver(tmp_path))


@pytest.mark.skipif(
    not Path("/proc/self/ns/pid").is_symlink(), reason="only Linux has numbers of processes by namespace"
)
def test_a_container_has_numbers_of_its_own(tmp_path: Path) -> None:
    """The first namespace has a fixed name; a system without any has one numbering."""
    space = tmp_path / "proc" / "self" / "ns"
    space.mkdir(parents=True)
    (space / "pid").symlink_to("pid:[4026532801]")
    assert not has_host_pids(tmp_path)
    (space / "pid").unlink()
    (space / "pid").symlink_to("pid:[4026531836]")
    assert has_host_pids(tmp_path) and has_host_pids(tmp_path / "nowhere")


# ---- NVIDIA's library, as small as can be ----

LIBRARY = r"""
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
typedef void *device;
struct memory { unsigned long long total, free, used; };
struct rates { unsigned gpu, memory; };
struct process { unsigned pid; unsigned long long used; unsigned instance, part; };
enum { FINE = 0, NOT_SUPPORTED = 3, NOT_FOUND = 6, SMALL = 7, NO_DRIVER = 9, UNKNOWN = 999 };
static int there(const char *name) { return getenv(name) != NULL; }
int nvmlInitWithFlags(unsigned flags) { return there("NO_DRIVER") ? NO_DRIVER : FINE; }
int nvmlShutdown(void) { return FINE; }
const char *nvmlErrorString(int code) { return "refused"; }
int nvmlSystemGetDriverVersion(char *text, unsigned size) { strcpy(text, "570.12"); return FINE; }
int nvmlSystemGetCudaDriverVersion_v2(int *version) { *version = 12080; return FINE; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return there("LOST") ? UNKNOWN : FINE; }
int nvmlDeviceGetHandleByIndex_v2(unsigned n, device *found) { *found = (device)(size_t)(n + 1); return FINE; }
int nvmlDeviceGetUUID(device d, char *text, unsigned size) { sprintf(text, "GPU-%d", (int)(size_t)d); return FINE; }
int nvmlDeviceGetName(device d, char *text, unsigned size) { strcpy(text, "Small GPU"); return FINE; }
int nvmlDeviceGetMemoryInfo(device d, struct memory *m) { m->total = 100; m->free = 60; m->used = 40; return FINE; }
int nvmlDeviceGetUtilizationRates(device d, struct rates *r) {
  if (d == (device)2) return NOT_SUPPORTED;
  r->gpu = 55; r->memory = 1; return FINE;
}
int nvmlDeviceGetPowerUsage(device d, unsigned *mw) { *mw = 250500; return FINE; }
int nvmlDeviceGetTemperature(device d, int sensor, unsigned *c) { *c = 44; return FINE; }
int nvmlDeviceGetCurrentClocksThrottleReasons(device d, unsigned long long *mask) { *mask = 4; return FINE; }
static int list(unsigned *count, struct process *found) {
  if (found == NULL || *count < 2) { *count = 2; return SMALL; }
  *count = 2;
  found[0].pid = 812; found[0].used = 30; found[1].pid = 813; found[1].used = ~0ULL;
  return FINE;
}
int nvmlDeviceGetComputeRunningProcesses_v3(device d, unsigned *n, struct process *p) { return list(n, p); }
int nvmlDeviceGetGraphicsRunningProcesses_v3(device d, unsigned *n, struct process *p) {
  if (!there("DRAWN")) { *n = 0; return FINE; }
  return list(n, p);
}
int nvmlDeviceGetMigMode(device d, unsigned *now, unsigned *later) {
  *now = *later = there("DIVIDED") && d == (device)1; return d == (device)2 ? NOT_SUPPORTED : FINE;
}
int nvmlDeviceGetMaxMigDeviceCount(device d, unsigned *count) { *count = 3; return FINE; }
int nvmlDeviceGetMigDeviceHandleByIndex(device d, unsigned n, device *found) {
  *found = (device)(size_t)(n + 11); return n == 1 ? NOT_FOUND : FINE;
}
"""
ASK = """
import json, os, sys
from pathlib import Path
from neatd.read.gpu import GpuReader
reader = GpuReader(Path(sys.argv[1]))
answers = []
for word in sys.argv[2:]:
    name, _, now = word.rpartition("@")
    for one in ("NO_DRIVER", "LOST", "DIVIDED", "DRAWN"):
        os.unsetenv(one)
    if name:
        os.putenv(name, "1")
    answers.append(reader.sample(float(now)))
print(json.dumps([[one.driver, one.cuda_version, [gpu._asdict() for gpu in one.gpus]] for one in answers]))
"""
needs_compiler = pytest.mark.skipif(
    not sys.platform.startswith("linux") or shutil.which("cc") is None, reason="needs a C compiler for a library"
)


def asked(folder: Path, *looks: str) -> list[list[Any]]:
    """What a reader in a fresh interpreter says at each look, `CONDITION@SECONDS`, of a library with NVML's calls."""
    (folder / "nvml.c").write_text(LIBRARY)
    library = folder / "libnvidia-ml.so.1"
    subprocess.run(["cc", "-shared", "-fPIC", "-w", "-o", str(library), str(folder / "nvml.c")], check=True)
    root = with_driver(folder / "machine")
    env = {**os.environ, "LD_LIBRARY_PATH": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(root), *looks], env=env, capture_output=True, text=True, check=True, timeout=60
    )
    answer: list[list[Any]] = json.loads(done.stdout)
    return answer


@needs_compiler
def test_nvidias_library_is_asked_by_its_own_calls(tmp_path: Path) -> None:
    """Through the real binding: two devices, one of which refuses a question, and a process without a number."""
    ((driver, cuda, gpus),) = asked(tmp_path, "@0")
    assert (driver, cuda) == ("570.12", "12.8") and isinstance(gpus, list) and len(gpus) == 2
    first, second = gpus
    assert (first["uuid"], first["name"], first["utilization_percent"]) == ("GPU-1", "Small GPU", 55)
    assert (first["memory_used_bytes"], first["memory_total_bytes"], first["power_w"]) == (40, 100, 250.5)
    assert first["throttled_by"] == ["power cap"] and first["processes"] == {"812": 30}
    assert second["utilization_percent"] is None and second["temperature_c"] == 44


@needs_compiler
def test_parts_of_a_divided_device_and_programs_that_draw_are_told_apart(tmp_path: Path) -> None:
    """Parts have names of their own, and the numbers between them may be free; a device without such a mode is whole. A
    desktop's programs are listed as drawing, too."""
    whole, divided, drawing = asked(tmp_path, "@0", "DIVIDED@1", "DRAWN@2")
    assert [(gpu["is_divided"], gpu["parts"]) for gpu in whole[2]] == [(False, []), (False, [])]
    first, second = divided[2]
    assert [(one[0], one[1]) for one in first["parts"]] == [(0, "GPU-11"), (0, "GPU-13")] and first["is_divided"]
    assert not second["is_divided"]
    assert [gpu["computing"] for gpu in whole[2]] == [[812, 813], [812, 813]]
    assert [gpu["computing"] for gpu in drawing[2]] == [[], []]


@needs_compiler
def test_a_driver_that_does_not_start_is_asked_again_after_a_minute(tmp_path: Path) -> None:
    """Not at every look: starting it in vain is dear. One that is lost later is let go and opened anew."""
    looks = (
        "NO_DRIVER@0",
        f"@{RETRY_S - 1}",
        f"@{RETRY_S}",
        f"LOST@{RETRY_S + 1}",
        f"@{RETRY_S + 2}",
        f"@{3 * RETRY_S}",
    )
    answers = asked(tmp_path, *looks)
    assert [len(gpus) for _, _, gpus in answers if isinstance(gpus, list)] == [0, 0, 2, 0, 0, 2]


# ---- the machine ----


def test_a_machine_is_described_by_what_is_known(tmp_path: Path) -> None:
    """Its memory and processors; the accelerators as they were seen; nothing empty."""
    facts = machine_facts(GpuSample((Gpu(0, name="NVIDIA H200", memory_total_bytes=5),), "570.12", "12.8"))
    assert facts["gpus"] == ["NVIDIA H200"] and facts["gpu_memory_bytes"] == [5]
    assert (facts["driver"], facts["cuda_version"]) == ("570.12", "12.8")
    assert facts["cpu_count"] == os.cpu_count() and facts["memory_bytes"] > GB // 4
    assert not [name for name, value in facts.items() if value in ("", None, [])]
    assert "cuda_version" not in machine_facts(GpuSample(), tmp_path)

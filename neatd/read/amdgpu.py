"""AMD's graphics processors, from the files that their driver keeps in /sys/class/drm. Reads only; no library, no program.

Memory per process is not in these files. One card costs about eight small reads.
"""

from __future__ import annotations

from pathlib import Path

from neatd.read.gpuvalues import Gpu
from neatd.read.proctable import read_bytes

_VENDOR = "0x1002"


def read_amd(root: Path = Path("/")) -> list[Gpu]:
    """Every card with memory of its own, in the order of their numbers. [] where there is none, after one look."""
    folder = root / "sys" / "class" / "drm"
    try:
        names = [one.name for one in folder.iterdir() if one.name.startswith("card") and one.name[4:].isdecimal()]
    except OSError:
        return []
    devices = (folder / name / "device" for name in sorted(names, key=lambda name: int(name[4:])))
    found = [one for one in devices if _text(one / "vendor") == _VENDOR and (one / "mem_info_vram_total").exists()]
    return [_card(number, device) for number, device in enumerate(found)]


def _card(number: int, device: Path) -> Gpu:
    sensors = next(iter(sorted(device.glob("hwmon/hwmon*"))), device / "hwmon")
    power_uw = _number(sensors / "power1_average")
    if power_uw is None:
        power_uw = _number(sensors / "power1_input")
    temperature_mc = _number(sensors / "temp1_input")
    return Gpu(
        number=number,
        uuid=_text(device / "unique_id"),
        name=_text(device / "product_name") or f"AMD {_text(device / 'device')}".strip(),
        utilization_percent=_number(device / "gpu_busy_percent"),
        memory_used_bytes=_number(device / "mem_info_vram_used"),
        memory_total_bytes=_number(device / "mem_info_vram_total"),
        power_w=None if power_uw is None else power_uw / 1e6,
        temperature_c=None if temperature_mc is None else temperature_mc / 1000,
        maker="amd",
    )


def _text(path: Path) -> str:
    try:
        return read_bytes(path, 4096).decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text.isdecimal() else None

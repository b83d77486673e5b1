"""How a checkpoint is loaded, as a line of Python, by what it is. Pure. Nothing here loads one: a pickle runs code."""

from __future__ import annotations

from collections.abc import Collection


def how_to_load(path: str, names: Collection[str] = ()) -> str:
    """The line that loads the file, or the folder that holds `names`; "" for what is not known."""
    if "adapter_config.json" in names:
        return f"peft.AutoPeftModel.from_pretrained({path!r})"
    if "config.json" in names and any(name.startswith(("model", "pytorch_model")) for name in names):
        return f"transformers.AutoModel.from_pretrained({path!r})"
    if ".metadata" in names:
        return f"torch.distributed.checkpoint.load(state_dict, checkpoint_id={path!r})"
    if path.endswith(".safetensors"):
        return f"safetensors.torch.load_file({path!r})"
    if path.endswith((".pt", ".pth", ".bin", ".ckpt", ".pkl", ".tar")):
        return f'torch.load({path!r}, map_location="cpu", weights_only=True)'
    if path.endswith(".npz"):
        return f"numpy.load({path!r})"
    return f"torch.jit.load({path!r})" if path.endswith((".ts", ".jit")) else ""

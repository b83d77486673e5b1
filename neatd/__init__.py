"""neat: the lab notebook that keeps itself, for people who train PyTorch models with AI coding assistants."""

__version__ = "0.1.0"

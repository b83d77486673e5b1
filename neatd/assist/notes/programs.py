"""Names of programs that people write in notes as commands, and of fences that hold shell. A table."""

from __future__ import annotations

_LANGUAGES = """
bash bash-session bat batch cmd console fish powershell ps1 pwsh sh shell shell-session shellsession terminal
zsh
"""
_PROGRAMS = """
./gradlew accelerate apt apt-get awk aws az bash bazel bd black brew bun bundle bunx cargo cat cd chmod clang
claude cmake codex colcon composer conda cp crontab ctest curl cypress dart deepspeed deno df diff django-
admin docker docker-compose dotnet du dvc echo elixir env eslint export find flake8 flask flutter fly free g++
gcc gcloud gemini gh git go gradle grep gsutil gunicorn hatch head helm hf htop huggingface-cli isort jest
journalctl jq jupyter just kill kubectl lerna ln ls make mamba mix mkdir mlflow mv mvn mypy mysql neat neatd
next ninja node nohup nox npm npx nvidia-smi nvm nx ollama optuna patch pdm php pip pip3 pipx pkill playwright
pnpm podman poetry pre-commit prettier printf prisma ps psql pyenv pytest python python3 rails railway rake
redis-cli rg rm rsync ruby ruff rustc rye salloc sbatch scancel scp screen sed sh source sqlite3 squeue srun
ssh streamlit sudo supabase swift systemctl tail tar task tensorboard terraform time tmux top torchrun touch
tox tree tsc tsx turbo unzip uv uvicorn uvx vercel vite vitest wandb watch wc wget which xcodebuild yarn yq
zsh
"""
_ENGLISH = """
cat dart diff echo env export find free gh go head hf just make mix next node patch sh source swift tail task
time top tree watch which
"""
LANGUAGES = frozenset(_LANGUAGES.split())
PROGRAMS = frozenset(_PROGRAMS.split())
ENGLISH = frozenset(_ENGLISH.split())  # words of English too: alone they are no command

"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

OneConfig = Annotated[Path, typer.Option("--config", "-c", help="config.toml of a municipality")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table")]

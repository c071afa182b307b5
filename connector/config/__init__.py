"""``config.toml``, the environment and secret files, read into typed settings.

load.py       reads and judges them      settings.py   every key with its form, default and meaning
layers.py     what is set where          findings.py   what pydantic says, in words that help
toml_file.py  TOML with lines, for whatever is said of a file
"""

from .load import REQUIRED, load, mapping_path, privacy_key, read, tracker_config, unknown_tracker_keys

__all__ = [
    "REQUIRED",
    "load",
    "mapping_path",
    "privacy_key",
    "read",
    "tracker_config",
    "unknown_tracker_keys",
]

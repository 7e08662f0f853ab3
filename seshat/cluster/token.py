"""The file that holds the key to a cluster: Ray makes one where there is none, and lets everybody read it."""

from __future__ import annotations

import contextlib
import os
import stat


def token_path() -> str:
    """Where Ray looks for the token."""
    return os.path.expanduser(os.environ.get("RAY_AUTH_TOKEN_PATH") or "~/.ray/auth_token")


def keep_private() -> None:
    """Let nobody but its owner read the token, if there is one and it is ours."""
    path = token_path()
    with contextlib.suppress(FileNotFoundError, PermissionError):
        if stat.S_IMODE(os.stat(path).st_mode) & 0o077:
            os.chmod(path, 0o600)

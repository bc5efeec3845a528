#!/bin/sh
# Find a Chromium for the browser tests, or get one: the system's, Playwright's own, or Debian's package.
set -u
bin=${1:?usage: chromium.sh .venv/bin}

for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
"$bin/python" - <<'PYTHON' && exit 0
import pathlib, sys
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    sys.exit(not pathlib.Path(playwright.chromium.executable_path).exists())
PYTHON
echo "no Chromium found; trying Playwright's download" >&2
"$bin/playwright" install chromium && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "that failed; trying Debian's package" >&2
    apt-get update -qq && apt-get install -y -qq chromium >/dev/null && exit 0
fi
echo "the browser tests need a Chromium: install one (Debian and Ubuntu: apt-get install chromium) and run make test again" >&2
exit 1

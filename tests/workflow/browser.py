"""Pages in a real browser without a window: what it lays out, as numbers, and pictures to look at."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
MISSING = f"no browser: none of {', '.join(NAMES)} is on the PATH (Debian: apt install chromium)"

# A frame has any width, a window is never narrower than 500 px. What a page lays out is read when it has loaded.
FRAME = """<!doctype html><meta charset="utf-8"><body style="margin: 0">
<iframe style="border: 0; width: {width}px; height: 1000px" src="{page}"></iframe>
<script>
addEventListener("load", () => setTimeout(() => {{
  const inner = document.querySelector("iframe").contentWindow, page = inner.document;
  const box = name => page.querySelector(name)?.getBoundingClientRect();
  const found = {{
    width: inner.innerWidth,
    scroll_width: page.documentElement.scrollWidth,
    answer: box(".answer"),
    title: box(".answer h1"),
    menu: box("nav.transition-all"),
    text: page.body.innerText.slice(0, 500),
    headings: [...page.querySelectorAll(".answer h2")].map(heading => heading.textContent),
    pictures: [...page.querySelectorAll(".answer img")].map(one => [one.naturalWidth, one.clientWidth]),
    outside: [...page.querySelectorAll(".answer *")].filter(one => !one.closest(".scroll, summary")
      && one.getBoundingClientRect().right > box(".answer").right + 1).map(one => one.outerHTML.slice(0, 200)),
    fetched: inner.performance.getEntriesByType("resource").map(one => one.name).filter(name => !/^data:/.test(name)),
  }};
  document.body.textContent = JSON.stringify(found);
}}, 1500));
</script>
"""


def chromium(folder: Path, page: Path, *options: str) -> str:
    """What the browser says of a page; its own files are in `folder`."""
    quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking"]
    own = ["--allow-file-access-from-files", "--virtual-time-budget=20000", f"--user-data-dir={folder / 'browser'}"]
    run = subprocess.run([CHROMIUM, *quiet, *own, *options, page.as_uri()], text=True, capture_output=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


def layout(folder: Path, page: Path, width: int) -> dict:
    """What a screen of some width shows of a page."""
    frame = folder / f"frame{width}.html"
    frame.write_text(FRAME.format(width=width, page=page.as_uri()))
    dom = chromium(folder, frame, "--dump-dom", "--window-size=1300,1000")
    return json.loads(html.unescape(re.search(r"<body[^>]*>(.*)</body>", dom, re.S)[1]))


def picture(folder: Path, page: Path, width: int, height: int) -> Path:
    """A screenshot."""
    path = folder / f"{page.stem}{width}.png"
    chromium(folder, page, f"--screenshot={path}", f"--window-size={width},{height}")
    return path

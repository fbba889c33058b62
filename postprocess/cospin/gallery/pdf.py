"""The gallery as PDF: its page, printed by a browser without a window (Chromium or what is built from it) where one is installed.

A page that is laid out by hand would be a second gallery, and say something else one day; without a browser there is no PDF.
"""
import os
import pathlib
import shutil
import subprocess
import tempfile

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")


def browser():
    """The path of a browser that prints, or None: COSPIN_BROWSER, or the first of NAMES that there is (COSPIN_BROWSER= : none)."""
    wanted = os.environ.get("COSPIN_BROWSER")
    if wanted is not None:
        return shutil.which(wanted) if wanted else None
    return next((found for found in map(shutil.which, NAMES) if found), None)


def write_pdf(page, path, say=print):
    """Prints the HTML file `page`; the path, or None and a sentence if that cannot be. What stood at `path` is no PDF of this page: it is
    gone then."""
    program = browser()
    if os.path.exists(path):
        os.remove(path)
    if not program:
        say("no PDF: that is the page as Chromium prints it, and there is none here (apt-get install chromium)")
        return None
    with tempfile.TemporaryDirectory(prefix="cospin_browser_") as profile:
        words = [program, "--headless", "--disable-gpu", "--no-first-run", f"--user-data-dir={profile}", "--no-pdf-header-footer",
                 f"--print-to-pdf={os.path.abspath(path)}", pathlib.Path(page).resolve().as_uri()]
        if hasattr(os, "geteuid") and os.geteuid() == 0:  # in a container, say: its sandbox refuses root
            words.insert(1, "--no-sandbox")
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False, env={**os.environ, "HOME": profile})
            told = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        except (subprocess.TimeoutExpired, OSError) as problem:
            told = str(problem)
    if os.path.exists(path) and os.path.getsize(path):
        return path
    say(f"no PDF: {os.path.basename(program)} did not print the page ({told[:200]})")
    return None

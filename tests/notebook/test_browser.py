"""A lesson as a student sees it: opened in JupyterLab in a browser, run from top to bottom, without an error.

It needs Debian's packages ``chromium`` and ``chromium-driver``.  Two lessons with pictures are run;
``AUTOGRADER_BROWSER_LESSONS`` names others, or ``all``.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "course" / "source"
ALL = sorted(path.stem for path in SOURCE.glob("*/*.ipynb"))
CHOSEN = os.environ.get("AUTOGRADER_BROWSER_LESSONS", "00-cluster,12-resourcequotas")
LESSONS = ALL if CHOSEN == "all" else CHOSEN.split(",")
#: Seconds that opening JupyterLab or a notebook, and running it, may take.
OPENING, RUNNING = 180, 240
WINDOW = (1280, 1000)
#: What JupyterLab knows of the cells with code, wherever one has scrolled to.
CELLS = """
const cells = Array.from(window.jupyterapp.shell.currentWidget.content.model.cells);
return cells.filter(cell => cell.type === "code").map(cell => [cell.executionCount, cell.toJSON().outputs]);
"""
READY = """
const panel = window.jupyterapp && window.jupyterapp.shell.currentWidget;
return !!(panel && panel.sessionContext && panel.sessionContext.session?.kernel?.status === "idle");
"""
THEME = "return document.body.dataset.jpThemeName"
PICTURE = ".jp-OutputArea-output svg[role=img]"
SPLASH = "#jupyterlab-splash"
#: Cells are drawn whether one has scrolled to them or not, so that all pictures can be found; and nobody asks for news.
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}

pytestmark = pytest.mark.needs("chromium")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser without a screen."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("chromium and chromium-driver are not installed")
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    folder = tmp_path_factory.mktemp("browser")
    for argument in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        f"--window-size={WINDOW[0]},{WINDOW[1]}", f"--user-data-dir={folder}",
    ):  # fmt: skip
        options.add_argument(argument)
    with webdriver.Chrome(options=options, service=webdriver.ChromeService(driver)) as opened:
        opened.set_page_load_timeout(RUNNING)
        opened.set_script_timeout(RUNNING)
        yield opened


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a JupyterLab on a copy of the lessons."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(SOURCE, folder / "source", ignore=shutil.ignore_patterns("work", ".ipynb_checkpoints"))
    for name, settings in SETTINGS.items():
        file = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(settings))
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser",
        "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}",
        "--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    environment = {
        **os.environ, "AUTOGRADER_UNATTENDED": "1", "PYTHONPATH": str(ROOT),
        "JUPYTER_CONFIG_DIR": str(folder / "config"), "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        runtime, ended = folder / "runtime", lambda: process.poll() is not None
        address = _wait(lambda: _address(runtime) or ended(), OPENING, "JupyterLab does not answer")
        assert not ended(), (folder / "log").read_text(errors="replace")
        yield address
    finally:
        process.terminate()
        process.wait(120)


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_runs_in_a_browser(lesson: str, lab: str, browser: Any, tmp_path: Path) -> None:
    browser.get(f"{lab}/tree/source/{lesson}/{lesson}.ipynb?reset")
    _wait(lambda: browser.execute_script(READY), OPENING, "the notebook does not open")
    _command(browser, "notebook:clear-all-cell-outputs")
    _command(browser, "notebook:run-all-cells")
    _wait(lambda: all(count for count, _ in browser.execute_script(CELLS)), RUNNING, "not all cells have run")
    assert [count for count, _ in browser.execute_script(CELLS)] == list(range(1, len(_code(lesson)) + 1))
    outputs = [output for _, outputs in browser.execute_script(CELLS) for output in outputs]
    assert not [output for output in outputs if output["output_type"] == "error"]
    pictures = browser.find_elements("css selector", PICTURE)
    assert len(pictures) == sum(cell["source"].count("%picture") for cell in _code(lesson))
    assert all(picture.size["width"] > 100 and picture.accessible_name for picture in pictures)
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        _command(browser, "apputils:change-theme", theme=theme)
        _wait(lambda theme=theme: browser.execute_script(THEME) == theme, OPENING, f"there is no {theme}")
        _wait(lambda: not browser.find_elements("css selector", SPLASH), OPENING, "the splash screen stays")
        for number, place in enumerate(pictures or browser.find_elements("css selector", "h1")[:1]):
            browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", place)
            assert browser.save_screenshot(str(tmp_path / f"{lesson}-{number}-{theme.split()[1]}.png"))


def _command(browser: Any, name: str, **arguments: str) -> None:
    browser.execute_script("window.jupyterapp.commands.execute(arguments[0], arguments[1])", name, arguments)


def _code(lesson: str) -> list[dict[str, Any]]:
    """The cells with code of a lesson."""
    cells = json.loads((SOURCE / lesson / f"{lesson}.ipynb").read_text(encoding="utf-8"))["cells"]
    return [{**cell, "source": "".join(cell["source"])} for cell in cells if cell["cell_type"] == "code"]


def _wait(is_so: Callable[[], Any], seconds: float, otherwise: str) -> Any:
    patience = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < patience, otherwise
        time.sleep(0.2)
    return found


def _address(runtime: Path) -> str:
    """Where JupyterLab answers, by the file in which the server says which port it has found; empty so far."""
    for file in runtime.glob("jpserver-*.json"):
        with contextlib.suppress(OSError, ValueError):  # it is being written, or nobody listens yet
            address = f"{json.loads(file.read_text(encoding='utf-8'))['url']}lab"
            with urllib.request.urlopen(address, timeout=5):
                return address
    return ""

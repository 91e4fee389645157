"""The wheel holds all that a run needs, and runs where there is no checkout.

The environment that it is installed into is new, and holds nothing but the wheel. Its dependencies are lent to it by
the environment that runs the tests, through a `.pth` file: what is tested is what the wheel holds, not whether its
requirements resolve (that is what `pip install -c constraints.txt` shows), so that no network is needed. A `.pth` file
adds its folder to the path and does not follow the `.pth` files in there, so an editable install of the checkout is
not lent with the rest; the tests make sure of it.
"""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.slow


def run(*command: object, cwd: Path) -> str:
    """What a command prints; without what would lead it back to the checkout."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    done = subprocess.run([*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def bin_folder(wheel, tmp_path_factory):
    """Where the programs are of a new environment with the wheel in it."""
    home = tmp_path_factory.mktemp("new") / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", home, cwd=home.parent)
    programs = home / ("Scripts" if os.name == "nt" else "bin")
    python = programs / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check")
    run(*pip, "install", "--quiet", "--no-index", "--no-deps", wheel, cwd=home)
    packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home).strip())
    lent = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "lent.pth").write_text("\n".join(sorted(lent)) + "\n", encoding="utf-8")
    return programs


def test_the_wheel_holds_code_catalogue_templates_and_the_mark_of_types(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    checkout = {path.relative_to(ROOT) for kind in ("agents", "scenarios") for path in (ROOT / kind).rglob("*.*")}
    data = {path.as_posix() for path in checkout if path.suffix in (".yaml", ".j2", ".md")}
    assert len(data) >= 20
    assert {f"ecosim/_catalog/{name}" for name in data} <= names
    assert {"ecosim/py.typed", "ecosim/report/page.html.j2", "ecosim/report/style.css"} <= names
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"ecosim"}
    assert not [name for name in names if name.endswith((".pyc", ".parquet", ".ipynb"))]


def test_an_installed_wheel_is_not_the_checkout(bin_folder, tmp_path):
    code = "import ecosim, sys; from ecosim import catalog; print(ecosim.__file__, catalog.root(), sys.path, sep='\\n')"
    file, catalogue, path = run(bin_folder / "python", "-P", "-c", code, cwd=tmp_path).splitlines()
    home = bin_folder.parent
    assert Path(file).is_relative_to(home)
    assert Path(catalogue) == Path(file).parent / "_catalog"
    assert repr(str(ROOT)) not in path


def test_an_installed_wheel_runs_a_scenario_from_an_empty_folder(bin_folder, tmp_path):
    out = run(bin_folder / "ecosim", "run", "smart_manufacturing", "--seeds", 2, "--steps", 2, cwd=tmp_path)
    (report,) = tmp_path.glob("results/smart_manufacturing/*/report.html")
    assert out.splitlines()[-1] == f"report  {report.relative_to(tmp_path)}"
    assert report.stat().st_size > 10_000


def test_an_installed_wheel_has_the_cards_of_all_roles(bin_folder, tmp_path):
    code = "from ecosim import catalog; print(*catalog.cards())"
    printed = run(bin_folder / "python", "-P", "-c", code, cwd=tmp_path).split()
    assert printed == sorted(path.parent.name for path in (ROOT / "agents").glob("*/card.yaml"))
    assert len(printed) >= 4

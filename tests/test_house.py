"""The house: what the package needs, what the wheel holds, and the words that set it all up."""

import ast
import gzip
import hashlib
import os
import re
import subprocess
import sys
import tomllib
import venv
from importlib.metadata import packages_distributions
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from loaders import house

TREE = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((TREE / "pyproject.toml").read_text("utf-8"))
RUN = PROJECT["project"]["dependencies"]
TEST = PROJECT["project"]["optional-dependencies"]["test"]
BUILD = PROJECT["dependency-groups"]["build"]
LOCKS = ["requirements.lock", "requirements-test.lock", "requirements-build.lock"]
# What `coursette` takes from the tree, besides the package's own modules.
SITE = ["metadata.yml", "settings.json", "plugins", "templates", "demo"]

APACHE_2 = "0ffddef9e48f8a09aed5caf2d44f7ba1c1be2d9b8e0a6f693b1635b2d5566645"  # the licence's words, however spaced


def locked(name: str) -> dict[str, str]:
    """Package name -> exact version, of a lock."""
    lines = (TREE / name).read_text("utf-8").splitlines()
    found = (re.match(r"([a-z0-9._-]+)==([^ ;]+)", line) for line in lines)
    return {canonicalize_name(match[1]): match[2] for match in found if match}


# ---- What it needs ----


def test_every_dependency_has_its_reason_beside_it():
    lines = (TREE / "pyproject.toml").read_text("utf-8").splitlines()
    for wanted in [*RUN, *TEST, *BUILD]:
        line = next(line for line in lines if line.strip().startswith(f'"{wanted}"'))
        assert re.search(r'",\s+# \S+ \S+', line), f"why does Coursette need {wanted}?"


def imported(folder: Path) -> dict[str, Path]:
    """Top-level module -> a file that imports it, for all Python files of a folder."""
    found: dict[str, Path] = {}
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            found |= {name.split(".")[0]: file for name in names}
    return found


@pytest.mark.parametrize(("folder", "wanted"), [("loaders", RUN), ("plugins", RUN), ("tests", RUN + TEST)])
def test_every_import_is_declared(folder: str, wanted: list[str]):
    declared = {canonicalize_name(Requirement(one).name) for one in wanted}
    ours = {"loaders", "tests", *(file.stem for file in (TREE / folder).glob("*.py"))}
    givers = packages_distributions()
    for module, file in imported(TREE / folder).items():
        if module not in sys.stdlib_module_names and module not in ours:
            packages = {canonicalize_name(name) for name in givers.get(module, [])}
            assert packages & declared, f"{file.name} imports {module}: name its package in pyproject.toml"


def test_every_dependency_is_bounded_unless_it_carries_a_date():
    for wanted in [*RUN, *TEST, *BUILD]:
        requirement = Requirement(wanted)
        bounds = {one.operator for one in requirement.specifier}
        assert ">=" in bounds and ("<" in bounds or requirement.name in {"tzdata", "packaging"}), wanted


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [(LOCKS[0], RUN), (LOCKS[1], RUN + TEST + BUILD), (LOCKS[2], BUILD)],
    ids=LOCKS,
)
def test_lock_and_pyproject_agree(lock: str, wanted: list[str]):
    exact = locked(lock)
    for requirement in map(Requirement, wanted):
        version = exact.get(canonicalize_name(requirement.name))
        assert version, f"{requirement.name} is not in {lock}: run `make lock`"
        assert requirement.specifier.contains(version), f"{lock} has {version}, not {requirement}: run `make lock`"


def test_locks_name_the_same_versions():
    everything = locked("requirements-test.lock")
    for lock in LOCKS:
        assert locked(lock).items() <= everything.items(), f"{lock} differs: run `make lock`"


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_has_hashes_and_no_addresses(lock: str):
    text = (TREE / lock).read_text("utf-8")
    assert len(locked(lock)) == len(re.findall(r"== ?\S+[^\n]*\\\n +--hash=sha256:", text))
    assert "://" not in text and "index-url" not in text


def test_what_builds_is_locked_too():
    assert PROJECT["build-system"]["requires"] == BUILD


def test_runs_on_any_python_from_3_11():
    assert PROJECT["project"]["requires-python"] == ">=3.11"
    assert PROJECT["tool"]["ruff"]["target-version"] == "py311"


# ---- The words ----


def test_ci_runs_make_test():
    script = (TREE / ".ci" / "run").read_text("utf-8")
    assert re.search(r"^make test\b", script, re.MULTILINE)
    if os.name == "posix":
        assert os.access(TREE / ".ci" / "run", os.X_OK)


@pytest.mark.parametrize("word", ["demo", "test", "serve", "lint", "bench", "bench-server", "docs", "lock", "clean"])
def test_make_knows_the_word_and_says_so(word: str):
    makefile = (TREE / "Makefile").read_text("utf-8")
    assert re.search(rf"^{word}:", makefile, re.MULTILINE)
    assert re.search(rf"^#.*\bmake {word}\b", makefile, re.MULTILINE)


def make(*words: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(["make", *words], cwd=TREE, env=plain, capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(os.name != "posix", reason="make is for Linux and macOS; Windows needs no checkout")
def test_an_old_python_is_one_sentence(tmp_path: Path):
    old = tmp_path / "python3.8"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    said = make("python", f"PYTHON={old}")
    assert said.returncode != 0
    assert said.stderr.startswith("Coursette needs Python 3.11 or newer")


@pytest.mark.skipif(os.name != "posix", reason="make is for Linux and macOS; Windows needs no checkout")
def test_a_python_without_venv_is_one_sentence(tmp_path: Path):
    bare = tmp_path / "python3"
    bare.write_text('#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\n')
    bare.chmod(0o755)
    said = make("python", f"PYTHON={bare}")
    assert said.returncode != 0
    assert "python3-venv" in said.stderr.splitlines()[0]


# ---- The wheel ----


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the tree as it is."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=TREE, check=True, capture_output=True, timeout=120)
    return next(folder.glob("*.whl"))


def wanted_files() -> dict[str, Path]:
    """Name in the wheel -> file of the tree, for all that is neither made at run time nor the README's alone."""
    made = re.compile(r"__pycache__|\.db\b|/private/|/screenshots/|/\.")
    files = [file for name in ["loaders", *SITE] for file in [TREE / name, *(TREE / name).rglob("*")]]
    names = [file.relative_to(TREE).as_posix() for file in files if file.is_file()]
    kept = [name for name in names if not made.search(name)]
    return {name if name.startswith("loaders/") else f"loaders/site/{name}": TREE / name for name in kept}


def test_the_wheel_holds_everything(wheel: Path):
    with ZipFile(wheel) as archive:
        held = set(archive.namelist())
        for name, file in wanted_files().items():
            assert name in held, f"{name} is missing"
            assert archive.read(name) == file.read_bytes()
    for name in SITE:
        assert any(one.startswith(f"loaders/site/{name}") for one in held), f"no {name}"


def test_the_wheel_holds_nothing_private(wheel: Path):
    with ZipFile(wheel) as archive:
        held = archive.namelist()
    assert not [name for name in held if re.search(r"\.db\b|/private/|__pycache__|/tests/|\.env", name)]
    assert {name.split("/")[0] for name in held} == {
        "loaders",
        wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info",
    }


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment with the wheel; what it depends on is borrowed from this one."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    command = [sys.executable, "-m", "pip", "--python", str(scripts / "python"), "install", "--quiet"]
    subprocess.run([*command, "--no-deps", "--no-index", str(wheel)], check=True, timeout=120)
    own = next(folder.rglob("site-packages"))
    borrowed = [path for path in sys.path if path.endswith("site-packages")]
    (own / "borrowed.pth").write_text("\n".join(borrowed), "utf-8")
    return scripts


def elsewhere(installed: Path, program: str, *words: str, folder: Path) -> str:
    """What a program of the installed environment says, run in `folder`, away from the tree."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COURSETTE"))}
    said = subprocess.run(
        [str(installed / program), *words], cwd=folder, env=clean, capture_output=True, text=True, timeout=60
    )
    assert said.returncode == 0, said.stderr
    return said.stdout.strip()


def test_an_installed_coursette_runs_from_any_folder(installed: Path, tmp_path: Path):
    assert "Usage: coursette" in elsewhere(installed, "coursette", "--help", folder=tmp_path)


def test_an_installed_coursette_finds_its_house(installed: Path, tmp_path: Path):
    ask = "from loaders import house; print(house.root())"
    root = Path(elsewhere(installed, "python", "-c", ask, folder=tmp_path))
    assert root.name == "site" and installed.parent.resolve() in root.resolve().parents
    assert all((root / name).exists() for name in SITE)


def test_the_tree_is_its_own_house():
    assert house.root() == TREE
    assert all((TREE / name).exists() for name in SITE)


# ---- What else stands at the top ----


def test_licence_is_apache_2():
    text = " ".join((TREE / "LICENSE").read_text("utf-8").split())
    assert hashlib.sha256(text.encode()).hexdigest() == APACHE_2
    assert PROJECT["project"]["license"] == "Apache-2.0"


def test_the_container_holds_no_data_and_is_nobody_special():
    lines = (TREE / "Dockerfile").read_text("utf-8").splitlines()
    ignored = (TREE / ".dockerignore").read_text("utf-8").splitlines()
    assert "*" in ignored and "**/*.db" in ignored and "**/private" in ignored
    assert "USER 1000" in lines and "VOLUME /data" in lines and 'ENTRYPOINT ["coursette"]' in lines
    assert any(re.fullmatch(r"ARG PYTHON=python:3\.\d+\.\d+-slim-\w+", line) for line in lines)


def test_the_made_up_course_is_small_and_carries_no_keys():
    files = [file for file in (TREE / "demo").iterdir() if file.is_file() and not re.search(r"\.db", file.name)]
    assert sum(file.stat().st_size for file in files) < 3_000_000
    for file in files:
        text = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        assert not re.search(rb'(sesskey|token)(=|" ?: ?"|" value=")\w{8}', text), file.name


def test_the_made_up_course_is_described():
    words = (TREE / "demo" / "README.md").read_text("utf-8")
    described = set(re.findall(r"^\| `([^`]+)` \|", words, re.MULTILINE))
    demo = TREE / "demo"
    folders = (demo, demo / "moodle", demo / "blogs")
    files = [file for folder in folders for file in folder.iterdir() if file.is_file()]
    there = {file.relative_to(demo).as_posix() for file in files if not re.search(r"\.db", file.name)}
    assert described == there - {"README.md", "moodle/style.css"}

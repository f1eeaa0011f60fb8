"""Private cases: the example of docs/private-cases, with the wheel in a fresh environment, and the errors."""

from __future__ import annotations

import base64
import importlib.metadata
import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import venv
import zlib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from conformance.catalogue import REQUIREMENTS, Requirement, add
from reports.record import read

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "private-cases"
CASE = "ACME-4.2/response_fits_into_a_block"
FAULTY = "exec:python -m conformance.agent --fault software-of-800-octets"
pytestmark = pytest.mark.timeout(240)


def setuptools_version() -> int:
    try:
        return int(importlib.metadata.version("setuptools").partition(".")[0])
    except importlib.metadata.PackageNotFoundError:
        return 0


def execute(command: str, folder: Path, path: Path) -> subprocess.CompletedProcess[str]:
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON", "ICETCP"))}
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env={**keep, "PATH": f"{path}{os.pathsep}{keep['PATH']}", "NO_COLOR": "1"},
        capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """The folder of programs of a fresh environment that has the wheel of icetcp, and what icetcp depends on."""
    place = tmp_path_factory.mktemp("fresh")
    tree = place / "tree"
    tree.mkdir()
    for name in ("conformance", "pcaps", "fuzz", "reports", "docs"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "build", "run-*"))
    for name in ("icetcp.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    own = ["--no-build-isolation"] if setuptools_version() >= 77 else []  # else pip fetches it
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", *own, "-w", place, tree], check=True, timeout=120)
    [wheel] = place.glob("*.whl")
    venv.create(place / "venv", with_pip=False, symlinks=True)
    python = place / "venv" / "bin" / "python"
    subprocess.run([*pip, "--python", python, "install", "--no-deps", wheel], check=True, timeout=60)
    [packages] = (place / "venv" / "lib").glob("python*/site-packages")
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return python.parent


@pytest.fixture
def project(tmp_path):
    return Path(shutil.copytree(EXAMPLE, tmp_path / "acme", ignore=shutil.ignore_patterns("__pycache__")))


def test_the_wheel_has_what_each_stack_is_built_of(programs):
    [installed] = (programs.parent / "lib").glob("python*/site-packages/conformance/iut")
    there, here = (
        {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and path.suffix != ".pyc"}
        for root in (installed, ROOT / "conformance" / "iut")
    )
    assert here - there == set()


def private(folder: Path) -> list[tuple[str, str]]:
    results = read(folder / "record.jsonl")[1]
    return sorted((result.case, result.verdict.value) for result in results if result.case.startswith("ACME"))


def unpacked(page: Path) -> str:
    """Return what is packed for each variant."""
    blocks = re.findall(r'id="block-\d+">([^<]*)<', page.read_text())
    return "".join(zlib.decompress(base64.b64decode(block)).decode() for block in blocks)


def test_a_private_case_is_judged_reported_and_repeated(programs, project):
    command = f"icetcp run --link sockets --iut {shlex.quote(FAULTY)} --section ACME-4.2 --out out"
    done = execute(command, project, programs)
    assert done.returncode == 1, done.stdout + done.stderr
    failed = [(f"{CASE}[{side}]", "fail") for side in ("answerer", "offerer")]
    assert private(project / "out") == failed
    suites = ElementTree.parse(project / "out" / "junit.xml").iter("testsuite")
    assert [suite.get("failures") for suite in suites if "ACME" in str(suite.get("name"))] == ["2"]
    page = (project / "out" / "report.html").read_text()
    assert "ACME-4.2-01" in page
    assert "so that it fits into one block" in page
    assert "rfc-editor.org/rfc/acme" not in page
    repeat = read(project / "out" / "record.jsonl")[1][0].repeat
    assert f"--cases-from {project}/icetcp_cases/test_gateway.py" in repeat
    elsewhere = project.parent / "elsewhere"
    elsewhere.mkdir()
    again = execute(repeat, elsewhere, programs)
    assert again.returncode == 1, again.stdout + again.stderr
    [out] = [word for before, word in itertools.pairwise(shlex.split(repeat)) if before == "--out"]
    found = private(elsewhere / out)
    assert len(found) == 1
    assert found[0] in failed
    later = execute("icetcp report out --out later.html && icetcp statement out", project, programs)
    assert later.returncode == 0, later.stdout + later.stderr
    assert "so that it fits into one block" in (project / "later.html").read_text()
    purpose = "a connection that the IUT has accepted"
    assert purpose in unpacked(project / "later.html")  # the folder of its cases is in the project's icetcp.toml
    shutil.copytree(project / "out", elsewhere / "copy")
    for options, known in (("", False), (f"--cases-from {project / 'icetcp_cases'}", True)):
        done = execute(f"icetcp report copy {options}", elsewhere, programs)
        assert done.returncode == 0, done.stdout + done.stderr
        assert (purpose in unpacked(elsewhere / "copy" / "report.html")) is known


def test_private_cases_in_the_projects_own_pytest(programs, project):
    plain = execute("python -m pytest -q -rs", project, programs)
    assert plain.returncode == 0, plain.stdout + plain.stderr
    assert "1 passed, 4 skipped" in plain.stdout
    assert "name an IUT by --iut" in plain.stdout
    options = "--icetcp-link sockets --icetcp-out out"
    done = execute(f"python -m pytest -q icetcp_cases {options} --iut {shlex.quote(FAULTY)}", project, programs)
    assert done.returncode == 1, done.stdout + done.stderr
    assert [verdict for _, verdict in private(project / "out")] == ["fail", "fail", "pass", "pass"]
    assert f"--cases-from {project}/icetcp_cases/test_gateway.py" in done.stdout


def test_workers_of_xdist_write_private_requirements_into_the_record(project):
    here = Path(sys.executable).parent
    options = f"-n 2 --icetcp-link sockets --icetcp-out out --iut {shlex.quote(FAULTY)}"
    done = execute(f"python -m pytest -q icetcp_cases {options}", project, here)
    assert done.returncode == 1, done.stdout + done.stderr
    assert [verdict for _, verdict in private(project / "out")] == ["fail", "fail", "pass", "pass"]
    info = read(project / "out" / "record.jsonl")[0]
    assert [entry["id"] for entry in info.private] == ["ACME-4.2-01", "ACME-4.3-01"]


def test_a_file_names_the_folder_for_every_command(programs, project):
    listed = execute("icetcp list --section ACME", project, programs)
    assert listed.returncode == 0, listed.stderr
    assert [line.split("\t")[0] for line in listed.stdout.splitlines()] == [
        CASE,
        "ACME-4.3/description_has_few_candidates",
    ]
    shown = execute("icetcp show ACME-4.2-01", project, programs)
    assert CASE in shown.stdout
    named = execute("icetcp list --requirements --section ACME-4.3", project, programs)
    assert "ACME-4.3-01\tshould\ttested by 1 case" in named.stdout


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("ACME-4.3-01", "RFC8445-5.1-77", "take a prefix of your own"),
        ("import", "import nothing_of_this_name\nimport", "nothing_of_this_name"),
        (
            "def test_response_fits_into_a_block",
            "def test_twin():\n    ...\n\n\n@requirement('ACME-9-01')\ndef test_x",
            "ACME-9-01",
        ),
    ],
)
def test_what_is_wrong_in_a_private_file_is_said_in_a_line(programs, project, old, new, text):
    for file in (project / "icetcp_cases").glob("*.py"):
        file.write_text(file.read_text().replace(old, new, 1))
    done = execute("icetcp list", project, programs)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert "test_gateway.py cannot be collected" in line
    assert text in line


def test_two_cases_of_one_id_are_an_error(programs, project):
    shutil.copy(project / "icetcp_cases" / "test_gateway.py", project / "icetcp_cases" / "test_copy.py")
    done = execute("icetcp list", project, programs)
    assert done.returncode == 2
    assert f"two cases have the id {CASE}" in done.stderr
    assert "test_copy.py" in done.stderr


def test_tests_of_another_kind_in_the_folder_are_left_out(programs, project):
    (project / "icetcp_cases" / "test_other.py").write_text(
        "import pytest\n@pytest.mark.requirement('SHOP-1')\ndef test_shop():\n    assert False\n"
    )
    done = execute(f"icetcp run --link sockets --case '{CASE}[offerer]' --out out", project, programs)
    assert done.returncode == 0, done.stdout + done.stderr
    assert private(project / "out") == [(f"{CASE}[offerer]", "pass")]


def made(**changes: object) -> Requirement:
    return Requirement(**{"id": "ACME-77-01", "title": "t", "text": "x", "keywords": ("MUST",), **changes})


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"id": "RFC6544-7.2-01"}, "prefix of your own"),
        ({"id": "acme-1"}, "PREFIX-SECTION-NUMBER"),
        ({"keywords": ("OUGHT",)}, "'OUGHT' is not a key word"),
        ({"keywords": "MUST"}, "tuples"),
        ({"pics": ("flies",)}, "no key 'flies'"),
        ({"text": " "}, "title and text"),
    ],
)
def test_a_requirement_that_cannot_be_added(changes, text):
    with pytest.raises(ValueError, match=text):
        add(made(**changes))
    assert "ACME-77-01" not in REQUIREMENTS


def test_a_clash_of_ids_adds_none_of_them():
    with pytest.raises(ValueError, match=r"ACME-77-01 cannot be added: the id is taken by another requirement, 't'"):
        add(made(), made(title="another"))
    assert "ACME-77-01" not in REQUIREMENTS

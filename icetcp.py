"""icetcp's one module of a unique name: the console script, `python -m icetcp` and the entry point for pytest.

Other projects have packages called `reports`, `fuzz`, `pcaps` or `conformance` too. As a plugin of their pytest this
module declares options and marks, and imports nothing more of icetcp until an IUT is named or its cases are asked for.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import pytest

_HERE = Path(__file__).resolve().parent
_PACKAGES = ("conformance", "pcaps", "reports", "fuzz")
_OPTIONS = "_icetcp_options"
_PLUGIN = "conformance.run.plugin"
_SUITES = "conformance.suites"


def main() -> NoReturn:
    """Run the command line."""
    _load_own_packages()
    importlib.import_module("conformance.__main__").main()
    raise AssertionError("the command line has not ended the process")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare --iut, and the options that begin with --icetcp-."""
    _options().add(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Load the rest where an IUT is named, an option of icetcp is given, or the cases of icetcp are to be collected."""
    if _is_wanted(config) and not config.pluginmanager.has_plugin(_PLUGIN):
        _load_own_packages()
        config.pluginmanager.register(importlib.import_module(_PLUGIN), _PLUGIN)
    elif not config.pluginmanager.has_plugin(_PLUGIN):
        _options().declare_marks(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip private cases of a vendor's where no IUT is named; others may have a mark of that name too."""
    if config.pluginmanager.has_plugin(_PLUGIN):
        return
    for item in items:
        if any("needs" in mark.kwargs for mark in item.iter_markers("requirement")):
            item.add_marker(
                importlib.import_module("pytest").mark.skip(reason="a case of icetcp: name an IUT by --iut")
            )


def _is_wanted(config: pytest.Config) -> bool:
    given = (str(argument) for argument in config.invocation_params.args)
    return _options().is_given(config) or any(argument.startswith(_SUITES) for argument in given)


def _options() -> ModuleType:
    """Return the module of the options, without its package."""
    if _OPTIONS not in sys.modules:
        _load(_OPTIONS, _HERE / "conformance" / "run" / "pytest_options.py")
    return sys.modules[_OPTIONS]


def _load_own_packages() -> None:
    """Import icetcp's packages from where this module is, whatever else has their names."""
    for name in _PACKAGES:
        known = sys.modules.get(name)
        if known is None:
            _load(name, _HERE / name / "__init__.py")
        elif _HERE / name not in [Path(path).resolve() for path in known.__path__]:
            raise ImportError(f"icetcp cannot be used here: {known.__file__} was imported first and hides its {name}")


def _load(name: str, path: Path) -> None:
    folder = [str(path.parent)] if path.name == "__init__.py" else None
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=folder)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise


if __name__ == "__main__":
    main()

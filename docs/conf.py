"""How Sphinx builds the documentation: `make docs`, or `sphinx-build -W --keep-going -n docs docs/_build`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import dilt

project = "dilt"
author = "The dilt developers"
copyright = author  # noqa: A001
version = release = dilt.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]  # myst_nb has myst_parser
exclude_patterns = ["_build", "jupyter_execute"]  # the second is what myst_nb leaves beside the first
nb_execution_mode = "off"  # a test runs the notebook, on results that a build does not have
nitpicky = True
nitpick_ignore_regex = [
    # Types of other projects, whose pages a build without a network cannot look up.
    ("py:.*", r"(collections|nn|np|numpy|pathlib|pd|torch|typing)\..+|Path"),
    # Types of dilt that the library's functions take and give, and that have no words on the page of its names.
    ("py:class", r"(dilt\.\w+\.\w+\.)?(Comparison|Claims|Score|Floats|Layer|Model|Probes)"),
]

# Links to headings, as GitHub names them.
myst_heading_anchors = 3
myst_links_external_new_tab = False

autodoc_typehints = "signature"
autodoc_preserve_defaults = True
# What stands between single backticks in docstrings is code.
default_role = "code"

html_theme = "furo"
html_title = f"dilt {version}"
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
# Search works from a folder on disk too, where a browser lets no script fetch a page for its summary.
html_show_search_summary = False

"""What the pages of the project tell people to type."""

import re

from tests.conftest import ROOT

PAGES = [ROOT / "README.md", *sorted(ROOT.glob("*/README.md")), *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [
    block
    for page in PAGES
    for block in re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
]
OF_TIMM = [block for block in BLOCKS if "= timm.create_model(" in block]  # for networks that timm has
OF_ANY = [block for block in BLOCKS if block not in OF_TIMM]
EXPORTS = re.findall(r"^    python (-m dilt\.export .*)$", (ROOT / "README.md").read_text(), re.MULTILINE)

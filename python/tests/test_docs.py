"""The Python of README.md and of the pages runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["README.md", "docs/python.md", "python/README.md"]


@pytest.mark.parametrize("page", PAGES)
def test_blocks_run_one_after_another(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / page).read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.M | re.S)
    assert blocks
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {"__name__": page}
    for block in blocks:
        line = text[: text.index(block)].count("\n")
        exec(compile("\n" * line + block, page, "exec"), names)


def test_the_docstring_of_the_package_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    import inspect

    import whorl

    monkeypatch.chdir(ROOT)
    indented = re.findall(r"^    .*$", inspect.cleandoc(whorl.__doc__ or ""), flags=re.M)
    assert indented
    exec("\n".join(line.strip() for line in indented), {})

"""The examples in docs/how-to/testing.md work as they stand there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs/how-to/testing.md"


@pytest.mark.parametrize("name, runner", [("direct", []), ("fixture", ["-m", "unittest"])])
def test_example(name: str, runner: list[str], tmp_path: Path) -> None:
    """It runs in a new Python, and says nothing of a failure."""
    (code,) = re.findall(rf"<!-- {name} -->\n```python\n(.+?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    example = tmp_path / "example.py"
    example.write_text(code, encoding="utf-8")

    done = subprocess.run(
        [sys.executable, *runner, example.name], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "Ran 0 tests" not in done.stderr

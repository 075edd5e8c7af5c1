"""Blocks of code on the pages are what they say: settings that count, and YAML, SQL and shell that can be read."""

import shutil
import subprocess
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml

from roost.cli.settings import Standing, judged
from roost.configuration import load
from roost.storage.sql.tables import metadata
from tests.docs.code import FENCED, TEXTS, blocks

pytestmark = pytest.mark.cwe_710

LANGUAGES = {"bash", "docker", "ini", "python", "sql", "text", "yaml", ""}


def test_languages() -> None:
    """Each block is of a language that is judged here, or of none."""
    assert {block["language"] for text in TEXTS.values() for block in FENCED.finditer(text)} <= LANGUAGES


@pytest.mark.parametrize("block", blocks("ini"), ids=lambda block: block.splitlines()[0])
def test_settings(block: str, tmp_path: Path) -> None:
    """Each setting is read, as `roost config check` would tell."""
    file = tmp_path / "placement.conf"
    file.write_text(block)

    settings = [setting for setting in judged(load((), (str(file),))) if setting.source == str(file)]

    assert settings
    assert [setting for setting in settings if setting.standing is not Standing.READ] == []


def test_yaml() -> None:
    """Each says something."""
    found = blocks("yaml")
    assert found
    assert all(map(yaml.safe_load, found))


def test_sql() -> None:
    """The tables and columns that each asks are there."""
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        metadata.create_all(connection)
        for block in blocks("sql"):
            connection.exec_driver_sql(block)
    engine.dispose()


def test_python() -> None:
    """Each can be compiled. Those of a whole program are run by tests/testing."""
    found = blocks("python")
    assert found
    for block in found:
        compile(block, "a page", "exec")


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_shell() -> None:
    """Bash can read it all."""
    told = subprocess.run(["bash", "-n"], input="\n".join(blocks("bash")), capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr

"""The formats in which findings can be had, by the names that `--format` takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from engine.errors import NoFindings
from workflows.findings.about import About
from workflows.findings.markdown import markdown_comment
from workflows.findings.reading import Findings, read_findings
from workflows.findings.sarif import sarif

FORMATS: Mapping[str, Callable[[Findings, About], str]] = MappingProxyType(
    {"sarif": sarif, "markdown-pr": markdown_comment}
)


def write_findings(name: str, result: Any, about: About, workspace: Path) -> str:
    """The findings of a result in one of `FORMATS`. NoFindings when it has no list of them."""
    findings = read_findings(result, workspace)
    if findings is None:
        raise NoFindings(
            f"the result has no findings to write as {name}",
            where=f"run {about.run_id} of {about.workflow}",
            why="its script returned nothing with a list `findings`",
            hint="the run and its result are kept; without --format the result is printed as it is",
        )
    return FORMATS[name](findings, about.with_result(result))

"""From what ruff reports to findings that people read: ranked, in plain words, capped, and with counts of the rest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from engine.providers.builtin.ruff import Violation
from engine.providers.builtin.rules import RULES_BY_ASPECT, Rule
from engine.providers.builtin.rules.correctness import SYNTAX_ERROR
from engine.providers.builtin.targets import relative_name
from engine.severity import SEVERITIES, Severity
from engine.text import clean_line

_HANDLERS = frozenset({"E722", "BLE001", "S110", "S112"})
"""Rules that look at the same `except` line; the gravest that fires says it for all."""
PER_RULE = 5
"""How many findings of one rule are shown; more of the same teach nothing."""
_SCRIPT_API = "agent parallel pipeline phase log budget args workflow AgentError BudgetExceeded LimitExceeded"
_SCRIPT_NAMES = frozenset(_SCRIPT_API.split())
"""What mco gives its own workflow scripts; undefined there only as far as ruff knows."""
_SCRIPT = re.compile(r"^meta\s*=.*^async def main\(", re.MULTILINE | re.DOTALL)
_QUOTED_NAME = re.compile(r"`[^`]+`")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A violation with its place in the workspace and how grave it is there."""

    file: str
    severity: Severity
    rule: Rule
    violation: Violation

    @property
    def rank(self) -> tuple[int, str, int, int]:
        """Its place in the report: gravest first, then by file and line."""
        place = self.violation.location
        return SEVERITIES.index(self.severity), self.file, place.row, place.column


@dataclass
class Selection:
    """What of a review is shown, and what was left out and why."""

    shown: list[Candidate] = field(default_factory=list[Candidate])
    left_out: Counter[str] = field(default_factory=Counter[str])
    severities: Counter[str] = field(default_factory=Counter[str])

    @property
    def total(self) -> int:
        """How many findings there are, shown or not."""
        return sum(self.severities.values())


class Sieve:
    """Chooses what is shown of one aspect's violations; `root` is the real path of the workspace."""

    def __init__(self, root: Path, aspect: str) -> None:
        self._root = root
        self._aspect = aspect
        self._rules = RULES_BY_ASPECT[aspect]
        self._scripts: dict[str, bool] = {}

    def select(self, violations: Iterable[Violation], limit: int) -> Selection:
        """The gravest findings, at most `limit`, at most a few per rule; everything else counted."""
        selection = Selection()
        candidates = sorted(self._candidates(violations, selection.left_out), key=lambda each: each.rank)
        candidates = list(_each_handler_once(candidates))
        selection.severities.update(each.severity for each in candidates)
        per_rule: Counter[str] = Counter()
        for candidate in _every_file_in_turn(candidates):
            code = candidate.violation.rule
            if len(selection.shown) < limit and per_rule[code] < PER_RULE:
                per_rule[code] += 1
                selection.shown.append(candidate)
            else:
                selection.left_out[f"more of {code}: {_title(candidate.rule, '', code)}"] += 1
        selection.shown.sort(key=lambda each: each.rank)
        return selection

    def _candidates(self, violations: Iterable[Violation], left_out: Counter[str]) -> Iterator[Candidate]:
        broken: set[str] = set()
        for violation in violations:
            rule = self._rules.get(violation.rule)
            if rule is None:  # a syntax error, while another aspect is under review
                left_out["syntax errors, which the correctness review reports"] += 1
            elif (file := self._file(violation)) is None:
                left_out["in files behind links that leave the workspace"] += 1
            elif violation.rule == SYNTAX_ERROR and file in broken:
                left_out["more syntax errors in the same file"] += 1
            elif is_test(file) and self._aspect != "correctness":
                left_out[f"in tests, where {self._aspect} matters less"] += 1
            elif not self._is_script_name(violation, file):
                if violation.rule == SYNTAX_ERROR:
                    broken.add(file)
                yield Candidate(file, _severity(rule, violation, file), rule, violation)

    def _file(self, violation: Violation) -> str | None:
        path = Path(violation.filename)
        if not path.resolve().is_relative_to(self._root):
            return None
        return relative_name(self._root, path)

    def _is_script_name(self, violation: Violation, file: str) -> bool:
        if violation.rule != "F821" or _quoted(violation.message).strip("`") not in _SCRIPT_NAMES:
            return False
        if file not in self._scripts:
            self._scripts[file] = bool(_SCRIPT.search("\n".join(read_lines(self._root / file))))
        return self._scripts[file]


def _every_file_in_turn(candidates: Sequence[Candidate]) -> list[Candidate]:
    """By severity, then the first of a rule in each file before the second in any: one file must not hide the rest."""
    seen: Counter[tuple[str, str]] = Counter()
    turns: list[tuple[int, int, Candidate]] = []
    for candidate in candidates:
        place = candidate.file, candidate.violation.rule
        seen[place] += 1
        turns.append((SEVERITIES.index(candidate.severity), seen[place], candidate))
    return [candidate for _, _, candidate in sorted(turns, key=lambda turn: turn[:2])]


def _each_handler_once(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    said: set[tuple[str, int]] = set()
    for candidate in candidates:
        place = candidate.file, candidate.violation.location.row
        if candidate.violation.rule not in _HANDLERS or place not in said:
            yield candidate
        if candidate.violation.rule in _HANDLERS:
            said.add(place)


def is_test(file: str) -> bool:
    """Whether a file holds tests, by the names that pytest and unittest go by."""
    path = PurePosixPath(file)
    in_folder = any(part in ("test", "tests", "testing") for part in path.parts[:-1])
    return (
        in_folder
        or path.name == "conftest.py"
        or path.name.startswith("test_")
        or path.stem.endswith("_test")
    )


def _severity(rule: Rule, violation: Violation, file: str) -> Severity:
    if "seems safe" in violation.message:  # ruff's words for a shell command that is a literal
        return "low"
    index = SEVERITIES.index(rule.severity)
    return SEVERITIES[min(index + 1, len(SEVERITIES) - 1)] if is_test(file) else rule.severity


def write_findings(root: Path, aspect: str, candidates: Iterable[Candidate]) -> list[dict[str, Any]]:
    """The findings of a review as JSON, each with the source line it stands on."""
    sources: dict[str, list[str]] = {}
    findings: list[dict[str, Any]] = []
    for candidate in candidates:
        if candidate.file not in sources:
            sources[candidate.file] = read_lines(root / candidate.file)
        findings.append(_finding(aspect, candidate, sources[candidate.file]))
    return findings


def _finding(aspect: str, candidate: Candidate, lines: list[str]) -> dict[str, Any]:
    violation, rule = candidate.violation, candidate.rule
    row = violation.location.row
    return {
        "severity": candidate.severity,
        "category": aspect,
        "title": _title(rule, violation.message, violation.rule),
        "file": candidate.file,
        "line": row,
        "column": violation.location.column,
        "snippet": clean_line(lines[row - 1].strip()) if 0 < row <= len(lines) else "",
        "rule": violation.rule,
        "recommendation": rule.advice or "Change this line so that it does what was meant.",
    }


def _title(rule: Rule, message: str, code: str) -> str:
    if not rule.title:
        return clean_line(message) or code
    return rule.title.replace("{name}", _quoted(message) or "a name")


def _quoted(message: str) -> str:
    found = _QUOTED_NAME.search(clean_line(message))
    return found.group() if found else ""


def read_lines(path: Path) -> list[str]:
    """The lines of a source file as ruff counts them; none when it cannot be read any more."""
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return []
    return (
        text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    )  # splitlines would also cut at form feeds


def counts(selection: Selection) -> Mapping[str, int]:
    """How many there are of each severity, how many in all, and how many are shown."""
    by_severity = {severity: selection.severities[severity] for severity in SEVERITIES}
    return {**by_severity, "total": selection.total, "shown": len(selection.shown)}

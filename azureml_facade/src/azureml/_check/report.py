"""The report: every use with its place, a verdict for each file, and the sum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azureml._check.inference import Use, uses
from azureml._check.installed import not_installed, package_of
from azureml._check.removed import removed_names
from azureml._check.sources import Source, python_files, read
from azureml._features.table import Status

WORDS = {
    Status.WORKS: "works",
    Status.DIFFERS: "works differently",
    Status.IGNORED: "accepted and ignored",
    Status.REFUSED: "not supported",
}


@dataclass(slots=True)
class FileReport:
    """What was found in one file; ``submission`` is what became of it when it was run to try the submission."""

    source: Source
    shown: str
    uses: list[Use]
    submission: str = ""
    missing: list[tuple[int, str]] = field(default_factory=list)  # (line, module) of what is not installed here

    @property
    def counts(self) -> Counter[Status]:
        """How many uses become what."""
        return Counter(use.feature.status for use in self.uses)

    @property
    def has_submission(self) -> bool:
        """Whether the file submits a run."""
        return any(use.is_submission for use in self.uses)

    @property
    def makes_compute(self) -> bool:
        """Whether the file makes a compute target."""
        return any(
            use.feature.name.endswith("Compute.create") or use.feature.name == "ComputeTarget.create"
            for use in self.uses
        )

    @property
    def verdict(self) -> str:
        """One sentence on the whole file."""
        if self.source.problems:
            line, problem = self.source.problems[0]
            return f"is not run as it stands: {problem} ({self._at(line)})"
        refused = next((use for use in self.uses if use.feature.status is Status.REFUSED), None)
        if refused is not None:
            return f"runs up to {self._at(refused.line)}, where {refused.feature.name} is not supported: {refused.feature.how}"
        different = len({use.feature for use in self.uses if use.feature.status is Status.DIFFERS})
        ignored = len({use.feature for use in self.uses if use.feature.status is Status.IGNORED})
        runs = "runs as it stands"
        if self.missing:
            runs += f" once {', '.join(module for _, module in self.missing)} can be imported"
        if not different and not ignored:
            return runs
        parts = [f"{different} work{'s' if different == 1 else ''} differently"] if different else []
        parts += [f"{ignored} {'is' if ignored == 1 else 'are'} accepted and ignored"] if ignored else []
        return f"{runs}; of the names that it uses {' and '.join(parts)}"

    def lines(self, *, shows_all: bool) -> Iterator[str]:
        """One line for each use that does not simply work (or for every one)."""
        for line, problem in self.source.problems:
            yield f"{self.shown}:{self.source.place(line)}: {problem}"
        seen = set()
        for use in self.uses:
            feature = use.feature
            if (use.line, feature) in seen or (feature.status is Status.WORKS and not shows_all):
                continue
            seen.add((use.line, feature))
            how = f": {feature.how}" if feature.how else ""
            yield f"{self.shown}:{self.source.place(use.line)}: {feature.name} {WORDS[feature.status]}{how}"
        for line, name in self.source.unclear:
            yield f"{self.shown}:{self.source.place(line)}: could not tell what {name} is a method of"

    def as_json(self) -> dict[str, Any]:
        """The same as plain data; ``line`` counts within a notebook's cell."""
        return {
            "file": self.shown,
            "verdict": self.verdict,
            "counts": {WORDS[status]: count for status, count in self.counts.items()},
            "problems": [{**self.source.position(line), "problem": problem} for line, problem in self.source.problems],
            "uses": [
                {
                    **self.source.position(use.line),
                    "name": use.feature.name,
                    "status": WORDS[use.feature.status],
                    "how": use.feature.how,
                }
                for use in self.uses
            ],
            "not_installed": [{**self.source.position(line), "module": module} for line, module in self.missing],
            "could_not_tell": [{**self.source.position(line), "name": name} for line, name in self.source.unclear],
            **({"submission": self.submission} if self.submission else {}),
        }

    def _at(self, line: int) -> str:
        return self.source.place(line) if self.source.is_notebook else f"line {line}"


@dataclass(slots=True)
class Report:
    """All files that use the SDK v1 (or cannot be read), and how many others there were."""

    files: list[FileReport] = field(default_factory=list)
    others: int = 0

    @property
    def counts(self) -> Counter[Status]:
        """How many uses become what, over all files."""
        return sum((file.counts for file in self.files), Counter())

    def summary(self) -> list[str]:
        """The sum in sentences."""
        counts = self.counts
        unread = sum(bool(file.source.problems) for file in self.files)
        stopped = sum(bool(file.counts[Status.REFUSED]) and not file.source.problems for file in self.files)
        running = len(self.files) - unread - stopped
        words = (
            f"{counts[Status.WORKS]} work, {counts[Status.DIFFERS]} work differently, {counts[Status.IGNORED]} are accepted and "
            f"ignored, {counts[Status.REFUSED]} are not supported"
        )
        sentences = [
            f"{_counted(len(self.files), 'file')} {'uses' if len(self.files) == 1 else 'use'} the SDK v1 "
            f"({_counted(self.others, 'other')} not): {running} run as they stand, {stopped} up to something that is not "
            f"supported, {unread} cannot be read",
            f"{_counted(counts.total(), 'use')} of its names: {words}",
        ]
        unclear = sum(len(file.source.unclear) for file in self.files)
        if unclear:
            sentences.append(f"of {_counted(unclear, 'more call')} it could not be told what they belong to")
        sentences += self._missing()
        tried = [file for file in self.files if file.submission]
        if tried:
            reached = sum(file.submission.startswith("would submit") for file in tried)
            sentences.append(f"{reached} of {_counted(len(tried), 'file')} that submit reached the submission")
        return sentences

    def _missing(self) -> list[str]:
        """One line for each module that is not installed here, with the first place that imports it."""
        first: dict[str, str] = {}
        for file in self.files:
            for line, module in file.missing:
                first.setdefault(module, f"{file.shown}:{file.source.place(line)}")
        return [
            f"{module} is not installed here (imported by {place}): pip install {package_of(module)}"
            for module, place in sorted(first.items())
        ]

    def as_json(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "files": [file.as_json() for file in self.files],
            "files_without_the_sdk": self.others,
            "counts": {WORDS[status]: self.counts[status] for status in Status},
            "summary": self.summary(),
        }


def check(folder: Path) -> Report:
    """Look at every script and notebook of a folder (or at one file)."""
    report = Report()
    for path in python_files(folder):
        source = read(path)
        found = uses(source)
        # What cannot be read at all may use it; of the rest, only what names it matters here.
        is_unreadable = source.is_notebook and not source.trees
        if not found and not (source.problems and (is_unreadable or "azureml" in _raw(path))):
            report.others += 1
            continue
        found = sorted([*found, *removed_names(source)], key=lambda use: use.line)
        shown = path.name if path == folder else str(path.relative_to(folder))
        root = folder if folder.is_dir() else folder.parent
        report.files.append(FileReport(source, shown, found, missing=not_installed(source, root)))
    return report


def _raw(path: Path) -> str:
    return path.read_bytes().decode("latin-1")


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"

"""The crash test: one data folder after another, killed on its way from delivery to settlement.

Here belong the order of kills and what is counted. A kill is ``killed``'s, what must hold after it
``wreck``'s. A data folder lives through many kills, each going on from the wreck of the one before;
then it must come to its end with the bytes of the undisturbed one.
"""

from __future__ import annotations

import random
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from orchestration.landing import landed_files
from orchestration.paths import DataFolder
from tests.faults.killed import Ended, Instant, fbacap, instants
from tests.faults.wreck import faults_of_finished, faults_of_landing, faults_of_zone
from tests.two_quarters import QUARTERS, STAGES, land_two_quarters, published_bytes

FIRST, LAST = QUARTERS[0].label, QUARTERS[-1].label
_BOUNDARY = re.compile(r"^\^(PIPELINE_START|STEP_START|PIPELINE_SUCCESS)\\ ")
KINDS = {"event": "step boundary", "file": "file change", "time": "random instant"}
LEFT = ("nothing new", "whole", "torn")
_DURABLE = re.compile("fsync|rename|chmod|open published|rmdir published")


@dataclass
class Undisturbed:
    """The same market with nothing befalling it.

    Attributes:
        root: holds the delivery as ``input`` and the data folder as ``data``.
        files: SHA-256 of the delivered file by table.
        published: SHA-256 of every published file.
        instants: of each command, by kind, when it can be killed: at each change of a file, at
            each boundary of its steps (kind event), and the seconds that it takes (kind time).
    """

    root: Path
    files: dict[str, str]
    published: dict[str, str]
    instants: dict[str, dict[str, list[Instant]]] = field(default_factory=dict)

    @cached_property
    def boundaries_left(self) -> dict[str, list[Instant]]:
        """Of each stage, the boundaries that it has not been killed at yet."""
        return {stage: list(self.instants[stage]["event"]) for stage in STAGES}


@dataclass
class Tally:
    """What was counted.

    Attributes:
        kills: by phase and kind of instant.
        left: by phase and what a kill left, one of ``LEFT``; torn is a fault.
        boundaries: by stage, the boundaries of its steps that it was killed at, and all of them.
        ended_before: commands that came to their end before their instant.
        lives: data folders brought to their end.
        faults: everything that did not hold, in sentences.
        instants: every kill, in sentences.
    """

    kills: Counter[tuple[str, str]] = field(default_factory=Counter)
    left: Counter[tuple[str, str]] = field(default_factory=Counter)
    boundaries: dict[str, list[int]] = field(default_factory=dict)
    ended_before: int = 0
    lives: int = 0
    faults: list[str] = field(default_factory=list)
    instants: list[str] = field(default_factory=list)


def undisturbed(root: Path) -> Undisturbed:
    """Run both quarters stage by stage, writing down when each command can be killed."""
    land_two_quarters(root)
    landed = DataFolder(root / "data")
    data = DataFolder(root / "undisturbed")
    shutil.copytree(landed.policies, data.policies)
    found = Undisturbed(
        root, {file.table: file.sha256 for file in landed_files(landed.landing)}, {}
    )
    commands = {"ingest": ingest(root), **{stage: run(FIRST, stage) for stage in STAGES}}
    for name, words in commands.items():
        found.instants[name] = {}
        for kind in ("file", "event") if name != "ingest" else ("file",):
            if name == "ingest":
                shutil.rmtree(data.landing, ignore_errors=True)
            started = time.perf_counter()
            log = root / "instants"
            expect_success(fbacap(data.root, *words, record=kind, log=log))
            seconds = time.perf_counter() - started
            every = instants(log)
            found.instants[name][kind] = every if kind == "file" else _boundaries(every)
            found.instants[name]["time"] = [Instant("time", seconds)]
    expect_success(fbacap(data.root, "backfill", FIRST, LAST, "--parallel", "2"))
    found.published = published_bytes(data)
    return found


def ingest(root: Path) -> tuple[str, ...]:
    return ("ingest", str(root / "input"), "--historical")


def run(quarter: str, stage: str) -> tuple[str, ...]:
    return ("run", quarter, "--stage", stage)


def expect_success(ended: Ended) -> None:
    if ended.returncode:
        raise AssertionError(f"a command failed with {ended.returncode}: {ended.errors}")


def _boundaries(found: Sequence[Instant]) -> list[Instant]:
    """Where a stage run and each of its steps begin, and where the run ends."""
    return [each for each in found if _BOUNDARY.search(each.match)]


@dataclass
class Life:
    """One data folder from delivery to settlement, with kills on the way."""

    market: Undisturbed
    data: DataFolder
    chance: random.Random
    tally: Tally

    def kill(self, phase: str, words: Sequence[str], instant: Instant) -> None:
        """Kill a command at an instant and look at the wreck."""
        before = self._standing(phase)
        ended = fbacap(self.data.root, *words, kill=instant)
        faults = self._faults(phase)
        if ended.was_killed:
            self.tally.kills[phase, KINDS[instant.kind]] += 1
            nothing, whole, torn = LEFT
            untorn = whole if self._standing(phase) > before else nothing
            self.tally.left[phase, torn if faults else untorn] += 1
            self._count_boundary(phase, instant)
        else:
            self.tally.ended_before += 1
            if ended.returncode:
                self._fault(phase, ended, f"ended with {ended.returncode}: {ended.errors[-400:]}")
        for fault in faults:
            self._fault(phase, ended, fault)
        self.tally.instants.append(f"{phase}: {ended.instant}")

    def _standing(self, phase: str) -> int:
        """How much counts: receipts of deliveries, or manifests of stage runs."""
        if phase == "ingest":
            return len(landed_files(self.data.landing))
        return sum(1 for _ in self.data.published.glob("_manifests/quarter=*/run=*.json"))

    def _count_boundary(self, phase: str, instant: Instant) -> None:
        left = self.market.boundaries_left.get(phase, [])
        if instant in left:
            left.remove(instant)
            self.tally.boundaries[phase][0] += 1

    def _faults(self, phase: str) -> list[str]:
        if phase == "ingest":
            return faults_of_landing(self.data, self.market.files)
        return faults_of_zone(self.data, self.market.published)

    def _fault(self, phase: str, ended: Ended, fault: str) -> None:
        self.tally.faults.append(f"{phase}, killed at '{ended.instant}': {fault}")

    def go_on(self, phase: str, *words: str) -> None:
        """Let a command come to its end after the kills."""
        ended = fbacap(self.data.root, *words)
        if ended.returncode:
            self._fault(phase, ended, f"then ended with {ended.returncode}: {ended.errors[-600:]}")

    def live(self, kills: int, lives_to_come: int) -> None:
        """Be delivered to, run and settled, killed on the way, and end as if never killed.

        Args:
            kills: how often, beside the boundaries.
            lives_to_come: how many lives the boundaries not killed at yet are dealt out to, this
                one included.
        """
        shares = shared_out(kills)
        shutil.copytree(self.market.root / "data" / "policies", self.data.policies)
        for instant in self._choose("ingest", shares["ingest"]):
            self.kill("ingest", ingest(self.market.root), instant)
        self.go_on("ingest", *ingest(self.market.root))
        for stage in STAGES:
            left = self.market.boundaries_left[stage]
            for boundary in left[: -(-len(left) // lives_to_come)]:
                self.kill(stage, run(FIRST, stage), boundary)
            for instant in self._choose(stage, shares[stage]):
                self.kill(stage, run(FIRST, stage), instant)
            if stage != STAGES[-1]:
                self.go_on(stage, *run(FIRST, stage))
        self.go_on("run", "run", FIRST)
        for _ in range(shares["backfill"]):
            self.kill("backfill", backfill(), self._in_a_backfill())
        self.go_on("backfill", *backfill())
        self.tally.lives += 1
        finished = faults_of_finished(self.data, self.market.published)
        self.tally.faults += [f"life {self.tally.lives}: {fault}" for fault in finished]

    def _choose(self, name: str, count: int) -> Iterator[Instant]:
        """Random instants, and every third time a change of a file."""
        known = self.market.instants[name]
        durable = [each for each in known["file"] if _DURABLE.search(each.match)]
        for number in range(count):
            if number % 3 == 2:
                yield self.chance.choice(durable)
            else:
                seconds = self.chance.uniform(0.1, 1.0) * known["time"][0].at
                yield Instant("time", round(seconds, 3))

    def _in_a_backfill(self) -> Instant:
        seconds = sum(self.market.instants[stage]["time"][0].at for stage in STAGES)
        stage = self.chance.choice(STAGES)
        return self.chance.choice(
            (
                Instant("time", round(self.chance.uniform(0.1, 0.6) * seconds, 3)),
                Instant("time", round(self.chance.uniform(0.1, 0.6) * seconds, 3)),
                Instant("event", self.chance.randint(1, 200)),
                Instant("file", 1, self.chance.choice(self.market.instants[stage]["file"]).match
                        .replace(QUARTERS[0].key.replace("-", r"\-"), QUARTERS[1].key)),
            )
        )  # fmt: skip


def backfill() -> tuple[str, ...]:
    return ("backfill", FIRST, LAST, "--parallel", "2")


def shared_out(kills: int) -> dict[str, int]:
    """How many kills each phase of a life gets.

    >>> shared_out(40)
    {'ingest': 6, 'announce': 6, 'round-1': 6, 'preliminary': 6, 'final': 6, 'true-up': 5, \
'backfill': 5}
    """
    phases = ("ingest", *STAGES, "backfill")
    each, more = divmod(kills, len(phases))
    return {phase: each + (number < more) for number, phase in enumerate(phases)}


def crash_test(
    root: Path, kills: int, seed: int, lives: int, first_boundary: int = 1
) -> Iterator[Tally]:
    """Kill at every boundary, and ``kills`` times more, over some lives; the tally after each.

    ``first_boundary``: of each stage, where an earlier test left off.
    """
    market = undisturbed(root)
    for left in market.boundaries_left.values():
        del left[: first_boundary - 1]
    chance = random.Random(seed)  # noqa: S311 - the same seed chooses the same instants
    tally = Tally()
    for stage, left in market.boundaries_left.items():
        tally.boundaries[stage] = [0, len(left)]
    for number in range(lives):
        data = DataFolder(root / f"life-{number + 1}")
        share = kills // lives + (number < kills % lives)
        Life(market, data, chance, tally).live(share, lives - number)
        shutil.rmtree(data.root)
        yield tally

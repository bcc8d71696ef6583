"""Kills the process that it is loaded into at a chosen instant; on no path but a crash test's.

Here belong the instants: before a change of a file under the data folder, or before an event that
Dagster records (steps beginning and ending, checks, materialisations). Nothing of the product knows
of it. FBACAP_FAULT says what to do, as JSON: ``root`` the data folder, ``log`` a file to append to,
``kind``, ``match`` and ``at``: the at-th instant of the kind that the pattern finds (``at`` null:
record every instant and kill at none), ``harm`` a file to spoil then instead of being killed,
``wreck`` a commit protocol to break on purpose.
"""

import importlib.abc
import importlib.machinery
import json
import os
import pathlib
import re
import signal
import sys

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_AREAS = ("published", "landing", "work", "reports")
_CHANGES = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod"}


class _Instants:
    def __init__(self, order):
        self.root = order["root"].rstrip("/") + "/"
        self.log = order["log"]
        self.kind, self.at = order["kind"], order["at"]
        self.match = re.compile(order["match"])
        self.wreck = order.get("wreck")
        self.harm = order.get("harm")
        self.count = 0
        self.is_busy = False

    def come(self, kind, what, where):
        """An instant of a kind has come; the process may end here."""
        if kind != self.kind or not self.match.search(f"{what} {where}"):
            return
        self.count += 1
        if self.at is None or self.count == self.at:
            line = json.dumps([kind, self.count, what, where]) + "\n"
            descriptor = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(descriptor, line.encode())
            os.close(descriptor)
        if self.count == self.at:
            if self.harm is None:
                os.killpg(0, signal.SIGKILL)
            self.spoil()

    def spoil(self):
        """Do harm to the files that the order names."""
        self.is_busy = True
        from tests.faults.killed import harm_file

        for path in sorted(pathlib.Path(self.root).glob(self.harm["path"])):
            harm_file(path, self.harm["how"])
        self.is_busy = False

    def heard(self, event, arguments):
        """An audit event: the change that it tells of is about to be made."""
        if self.is_busy or event not in _CHANGES or self.kind != "file":
            return
        self.is_busy = True
        try:
            if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & _WRITING):
                return
            path = self.path(arguments[1 if event == "os.rename" else 0], arguments[-1])
            self.changed(event, path)
        finally:
            self.is_busy = False

    def changed(self, what, path):
        if path.startswith(self.root):
            where = path.removeprefix(self.root)
            if where.split("/")[0] in _AREAS and "/dbt/" not in where:
                self.come("file", what, where)

    def path(self, named, folder):
        if not isinstance(named, str | bytes):
            return ""
        text = os.fsdecode(named)
        if not os.path.isabs(text) and isinstance(folder, int) and folder >= 0:
            text = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), text)
        return os.path.abspath(text)


class _After(importlib.abc.MetaPathFinder):
    """Does something to a module as soon as it has been loaded."""

    def __init__(self, what_to_do):
        self.what_to_do = what_to_do

    def find_spec(self, name, path=None, _target=None):
        if name not in self.what_to_do:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        loaded = spec.loader.exec_module

        def exec_module(module):
            loaded(module)
            self.what_to_do[name](module)

        spec.loader.exec_module = exec_module
        return spec


def _watch_events(instants):
    def watch(module):
        store = module.EventLog.store_event

        def store_event(self, event):
            told = event.dagster_event
            if told is not None:
                instants.come("event", told.event_type_value, told.step_key or "")
            return store(self, event)

        module.EventLog.store_event = store_event

    return watch


def _manifest_before_files(module):
    """The protocol broken: the manifest stands before the files that it names."""
    put, write = module.put_in_place, module.write_manifest
    held = []
    module.put_in_place = lambda *arguments: held.append(arguments)

    def write_manifest(*arguments):
        write(*arguments)
        put(*held.pop())

    module.write_manifest = write_manifest


def _begin(order):
    instants = _Instants(order)
    sync = os.fsync

    def fsync(descriptor):
        if instants.kind == "file" and isinstance(descriptor, int):
            instants.changed("os.fsync", os.readlink(f"/proc/self/fd/{descriptor}"))
        return sync(descriptor)

    os.fsync = fsync
    sys.addaudithook(instants.heard)
    what_to_do = {"orchestration.event_log": _watch_events(instants)}
    if instants.wreck == "manifest-first":
        what_to_do["orchestration.published"] = _manifest_before_files
    sys.meta_path.insert(0, _After(what_to_do))


if "FBACAP_FAULT" in os.environ:
    _begin(json.loads(os.environ["FBACAP_FAULT"]))

#!/usr/bin/env python3
"""Verifies an evidence pack of gonogo, or the folder of a session, with nothing but Python 3.8 or newer.

    python3 verify.py [PACK] [--head HASH] [--signers FILE] [--at-least GRADE]

PACK is the archive, or the folder that it was unpacked into; without it, the folder that this file lies in. Whoever
can change a pack can change the verify.py in it, too: take this file from a release of gonogo, or compare its SHA-256
with the one that was noted when the pack was made. What is checked stands in docs/journal.md and docs/pack.md.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import re
import stat
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import IO, Any

ZEROS = "0" * 64
MAX_LINE = 64 * 1024 * 1024
MAX_DEPTH = 64
MOST_FILES = 20_000
SMALL = 16 * 1024 * 1024
GRADES = ("broken", "open", "consistent", "anchored", "signed")
MEANING = {
    "broken": "it is not as it was written, or not what the head was taken from, or not what was signed",
    "open": "every record holds, and the session has no end here: that a tail was cut off cannot be excluded",
    "consistent": "whole, and every record holds; whoever could write the file could also have made all of it anew",
    "anchored": "whole, and its last record is the one that a head from outside names: nothing was changed since",
    "signed": "whole, and its last record is signed: nothing was changed since, and the signer stands for it",
}
MANIFEST = ["files", "format", "gonogo", "grade", "head", "left_out", "records", "session"]
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
"""What comes of an archive that is damaged, or made to be."""
STRAY = (".DS_Store", "Thumbs.db", "desktop.ini")
EVIDENCE = re.compile("(signatures|approvals|scripts|artefacts)/|journal[.]|transcript[.]|runbook[.]|end-noted[.]")
"""Names under which a pack has what it is read for: one more of those is never somebody's note beside it."""
_FIELDS = """
session_opened: format* gonogo session mode* environment protected project project_file* project_sha256 runbook git*
  operator ticket answers* previous* machine* emergency* tried* windows*
plan_made: hash target protected scripts held_back* conditions* tables* unread* applied* runner* approval* altered*
phase_opened: phase option*
step_started: step attempt title uses effect why by*
step_output: step attempt stream text
step_progress: step attempt data
step_ended: step attempt end outcome checks* result* failure* advice* took*
question_asked: question step attempt text exact* choices*
question_answered: question answer by
item_ticked: item state evidence* reason* facts* by
item_unticked: item by
script_reviewed: migration sha256 comment* by
waived: subject outcome reason by
decided: what phase reason* option* ranked* plan* by
artefact_kept: step attempt name path sha256 size
face_attached: face sort pen by answers*
face_detached: face
pen_taken: face from_face* reason by
command_refused: command subject* reason by
session_parked: reason
session_resumed: gonogo host pid by answers* unknown*
journal_repaired: file size sha256
session_ended: outcome exit_code reason*
"""
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
_HASH = re.compile(r"[0-9a-f]{64}")
_HEAD = re.compile(r"(?:([0-9]{1,15}):)?([0-9a-f]{64})")


def kinds() -> dict[str, tuple[set[str], set[str]]]:
    """For each kind of record the fields that its data must have, and those that it may have."""
    found = {}
    for line in _FIELDS.replace("\n  ", " ").strip().splitlines():
        kind, _, fields = line.partition(": ")
        names = fields.split()
        found[kind] = ({n for n in names if not n.endswith("*")}, {n.rstrip("*") for n in names})
    return found


KINDS = kinds()


class Bad(Exception):
    """What does not hold, in words."""


# The journal: docs/journal.md, "What a verifier checks".


def ordered(value: Any) -> Any:
    """The same with the members of every object in the order of RFC 8785."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        return {name: ordered(value[name]) for name in names}
    return [ordered(each) for each in value] if isinstance(value, list) else value


def canonical(value: Any) -> bytes:
    """The bytes of RFC 8785, for what has neither fractions nor large numbers."""
    return json.dumps(ordered(value), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _refuse(text: str) -> Any:
    raise Bad("it holds a number with a fraction or an exponent")


def _whole_number(text: str) -> int:
    if text == "-0" or len(text) > 17 or abs(int(text)) >= 2**53:
        raise Bad("it holds a number that no journal has")
    return int(text)


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise Bad("it has a name twice")
    return dict(pairs)


def parsed(text: bytes) -> Any:
    """The JSON of these bytes, strictly. Raises Bad."""
    hooks: dict[str, Any] = {"parse_float": _refuse, "parse_constant": _refuse, "parse_int": _whole_number}
    try:
        return json.loads(text.decode("utf-8"), object_pairs_hook=_no_twins, **hooks)
    except (ValueError, RecursionError):
        raise Bad("it is not JSON in UTF-8") from None


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


def check_line(line: bytes, number: int, prev: str) -> dict[str, Any]:
    """The record of a line that holds, with its line feed. Raises Bad."""
    if len(line) > MAX_LINE:
        raise Bad("it is longer than %d bytes" % MAX_LINE)
    record = parsed(line)
    if not isinstance(record, dict) or sorted(record) != ["at", "data", "hash", "kind", "prev", "seq"]:
        raise Bad("it does not have exactly the fields seq, at, kind, data, prev and hash")
    data, kind = record["data"], record["kind"]
    try:
        if not _TIME.fullmatch(record["at"]):
            raise ValueError
        datetime.fromisoformat(record["at"][:-1])
    except (ValueError, TypeError):
        raise Bad("its at is not a time in UTC with microseconds") from None
    try:
        same = canonical(record) + b"\n" == line and _depth(data) <= MAX_DEPTH
    except RecursionError:
        same = False
    if not same:
        raise Bad("its bytes are not the canonical form of its JSON")
    if record["seq"] != number or isinstance(record["seq"], bool):
        raise Bad("it is not record %d: records are missing, doubled or out of order" % number)
    if record["prev"] != prev:
        raise Bad("its prev is not the hash of the record before it")
    if hashlib.sha256(canonical({n: v for n, v in record.items() if n != "hash"})).hexdigest() != record["hash"]:
        raise Bad("its hash is not that of its content")
    if not isinstance(kind, str) or not isinstance(data, dict) or kind not in KINDS:
        raise Bad("it is no event that is known here")
    if not KINDS[kind][0] <= set(data) <= KINDS[kind][1]:
        raise Bad("its data does not have the fields of %s" % kind)
    if (number == 0) != (kind == "session_opened" and data.get("format") == 1):
        raise Bad("session_opened of format 1 must be the first record, and only that")
    return record


def named_by(kind: str, data: dict[str, Any]) -> list[tuple[str, str]]:
    """The files that a record names, and their SHA-256. Raises Bad."""
    found = []
    try:
        if kind == "session_opened" and data["runbook"].get("sha256"):
            seen = [one["sha256"] for one in data["runbook"].get("documents", ()) if one.get("sha256")]
            found = [("runbook.md", data["runbook"]["sha256"])]
            found += [("documents/%s.md" % sha256, sha256) for sha256 in seen]
        elif kind == "plan_made":
            undone = [(one, (one.get("rollback") or {}).get("script")) for one in data["scripts"]]
            scripts = [one for pair in undone for one in pair if one and one["sha256"]]
            scripts += [one["verify"] for one in data["scripts"] if one.get("verify")]
            found = [("scripts/%s.sql" % one["sha256"], one.get("copy_sha256") or one["sha256"]) for one in scripts]
        elif kind == "step_ended" and isinstance(data.get("result", {}).get("proposed"), dict):
            one = data["result"]["proposed"]
            found = [("scripts/%s.sql" % one["sha256"], one.get("copy_sha256") or one["sha256"])]
        elif kind == "artefact_kept":
            found = [(data["path"], data["sha256"])]
        if not all(isinstance(each, str) for pair in found for each in pair):
            raise TypeError
    except (KeyError, TypeError, AttributeError):
        raise Bad("its data is not that of %s" % kind) from None
    return found


class Journal:
    """What stands in a journal, read line by line; `fault` is the first line that does not hold.

    `hashes` are those of the `wanted` records; `reached` is the last record that one of the `heads` names.
    """

    def __init__(self, lines: Iterable[bytes], heads: Iterable[str] = (), wanted: Iterable[int] = ()) -> None:
        self.records, self.head, self.ended, self.torn, self.fault = 0, ZEROS, False, False, ""
        self.opened: dict[str, Any] = {}
        self.plan: dict[str, Any] = {}
        self.named: list[tuple[int, str, str]] = []
        self.hashes: dict[int, str] = {}
        self.reached: int | None = None
        self.strangers = set(heads)
        self._wanted = set(wanted)
        for line in lines:
            if not line.endswith(b"\n") and len(line) <= MAX_LINE and not self.ended:
                self.torn = True
                return
            try:
                self._take(line)
            except Bad as bad:
                self.fault = "record %d (line %d): %s" % (self.records, self.records + 1, bad)
                return

    def _take(self, line: bytes) -> None:
        if self.ended:
            raise Bad("it stands after the end of the session")
        record = check_line(line, self.records, self.head)
        named = named_by(record["kind"], record["data"])
        if self.records == 0:
            self.opened = record["data"]
        self.plan = record["data"] if record["kind"] == "plan_made" else self.plan
        self.named += [(self.records, path, sha256) for path, sha256 in named]
        self.head, number = record["hash"], self.records
        if number in self._wanted:
            self.hashes[number] = self.head
        met = self.strangers & {self.head, "%d:%s" % (number, self.head)}
        self.strangers -= met
        self.reached = number if met else self.reached
        self.ended = record["kind"] == "session_ended"
        self.records += 1

    def grade(self, signed: int | None, denied: bool) -> str:
        """The most that is proven."""
        if self.fault or self.strangers or denied:
            return "broken"
        if not self.ended or self.torn:
            return "open"
        if signed == self.records - 1:
            return "signed"
        return "anchored" if self.reached == self.records - 1 else "consistent"


def lines_of(file: IO[bytes]) -> Iterator[bytes]:
    """The lines of a journal; one that is too long comes cut, and is the last."""
    with file:
        while True:
            line = file.readline(MAX_LINE + 1)
            if line:
                yield line
            if not line or len(line) > MAX_LINE:
                return


# The pack: docs/pack.md.


def fits(name: str) -> bool:
    """Whether a name leads nowhere but into the pack, on every system."""
    parts = name.split("/")
    fine = name.isprintable() and len(name) <= 240 and not set(name) & set('\\:*?"<>|')
    return fine and all(part.strip(" .") and part == part.strip() and not part.endswith(".") for part in parts)


class Folder:
    """The files of a folder, without following links."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.names: dict[str, int] = {}
        self.wrong: list[str] = []
        for place, folders, files in os.walk(path):
            for name in folders + files:
                whole = os.path.join(place, name)
                shown = os.path.relpath(whole, path).replace(os.sep, "/")
                status = os.lstat(whole)
                if stat.S_ISREG(status.st_mode):
                    if name not in STRAY:
                        self.names[shown] = status.st_size
                elif not stat.S_ISDIR(status.st_mode):
                    self.wrong.append("%s is a link, or no file" % shown)

    def open(self, name: str) -> IO[bytes]:
        """A file of `names`."""
        return open(os.path.join(self._path, *name.split("/")), "rb")


class Zip:
    """The files of an archive, which is never unpacked."""

    def __init__(self, path: str) -> None:
        self._zip = zipfile.ZipFile(path)
        self.names: dict[str, int] = {}
        self.wrong: list[str] = []
        entries = self._zip.infolist()
        self._top = entries[0].filename.split("/")[0] + "/" if entries else "/"
        if len(entries) > MOST_FILES:
            raise Bad("it holds more than %d files" % MOST_FILES)
        for entry in entries:
            top, _, name = entry.filename.partition("/")
            kind = stat.S_IFMT(entry.external_attr >> 16)
            plain = kind in (0, stat.S_IFREG) and entry.compress_type in (0, 8) and not entry.flag_bits & ~0x808
            if top + "/" != self._top or not fits(entry.filename) or not plain or name in self.names:
                raise Bad("it holds %s, which no pack of gonogo does" % ascii(entry.filename[:100]))
            self.names[name] = entry.file_size

    def open(self, name: str) -> IO[bytes]:
        """A file of `names`."""
        return self._zip.open(self._top + name)


class Pack:
    """A folder or an archive, and what is wrong with it; `lines` are what there is to say."""

    def __init__(self, path: str) -> None:
        self.files: Any = Folder(path) if os.path.isdir(path) else Zip(path)
        self.wrong: list[str] = list(self.files.wrong) if "manifest.json" in self.files.names else []
        self.lines: list[str] = []
        self.sums: dict[str, str] = {}
        self.manifest: dict[str, Any] = {}

    def small(self, name: str) -> bytes:
        """The bytes of a small file. Raises Bad."""
        if name not in self.files.names:
            raise Bad("%s is not here" % name)
        with self.files.open(name) as file:
            text: bytes = file.read(SMALL + 1)
        if len(text) > SMALL:
            raise Bad("%s is larger than any such file" % name)
        if len(text) != self.files.names[name]:
            raise Bad("%s is not as long as it says" % name)
        return text

    def sum(self, name: str) -> str:
        """The SHA-256 of a file; empty where its bytes cannot be read."""
        if name not in self.sums:
            digest, left = hashlib.sha256(), self.files.names[name]
            try:
                with self.files.open(name) as file:
                    for piece in iter(lambda: file.read(1 << 20), b""):
                        digest.update(piece)
                        left -= len(piece)
                self.sums[name] = digest.hexdigest() if left == 0 else ""
            except (OSError, *UNREADABLE):
                self.sums[name] = ""
        return self.sums[name]

    def check_manifest(self) -> None:
        """Whether exactly the files are here that the manifest lists, each as it was."""
        try:
            text = self.small("manifest.json")
            manifest = parsed(text)
            listed = {one["name"]: (one["size"], one["sha256"]) for one in manifest["files"]}
            left = [(one["name"], one["why"], one["what"]) for one in manifest["left_out"]]
            if manifest["format"] != "gonogo pack 1" or sorted(manifest) != MANIFEST or canonical(manifest) != text:
                raise Bad("it is not the canonical form of a gonogo pack 1")
        except (Bad, KeyError, TypeError, OSError, *UNREADABLE) as error:
            self.wrong.append("manifest.json is not there, or is none: %s" % error)
            return
        names = self.files.names
        self.wrong += ["%s is not here, and the manifest lists it" % name for name in listed if name not in names]
        extra = [name for name in names if name not in listed and name != "manifest.json"]
        beside = [name for name in extra if isinstance(self.files, Folder) and not EVIDENCE.match(name)]
        self.wrong += ["%s is here, and the manifest does not list it" % name for name in extra if name not in beside]
        self.lines += ["not of the pack: %s; nothing here vouches for it" % name for name in beside]
        for name, (size, sha256) in listed.items():
            if name in names and (names[name] != size or self.sum(name) != sha256):
                self.wrong.append("%s is not the file that the manifest lists" % name)
        self.wrong += ["%s was altered before the pack was made: %s" % one[::2] for one in left if one[1] == "altered"]
        self.manifest = manifest
        self.lines.append("pack: %d files, %d left out, as manifest.json lists them" % (len(listed), len(left)))
        self.lines.append("manifest: SHA-256 %s" % hashlib.sha256(text).hexdigest())
        self.lines += ["left out: %s (%s): %s" % one for one in left]

    def check_said(self, journal: Journal) -> None:
        """Whether the manifest is one of this journal."""
        here = {
            "session": journal.opened.get("session", ""),
            "records": journal.records,
            "head": journal.head,
            "grade": "broken" if journal.fault else "consistent" if journal.ended else "open",
        }
        for name in here:
            if self.manifest and self.manifest[name] != here[name]:
                self.wrong.append("manifest.json has another %s than the journal" % name)

    def check_named(self, journal: Journal) -> None:
        """Whether the files that the journal names have the hashes that it has."""
        here = [one for one in journal.named if one[1] in self.files.names]
        altered = [(number, path) for number, path, sha256 in here if self.sum(path) != sha256]
        absent = len(journal.named) - len(here)
        same = len(here) - len(altered)
        self.lines.append("files: %d as recorded, %d not here, %d altered" % (same, absent, len(altered)))
        self.wrong += ["%s is not what record %d names" % (path, number) for number, path in altered]


# Signatures: by stock ssh-keygen, for the people of a file of signers.


class Signers:
    """Who may sign: one name and one key a line. Raises Bad for a file that does not name persons."""

    def __init__(self, path: str) -> None:
        with open(path, "rb") as file:
            self.text = file.read(SMALL)
        self.people: dict[bytes, str] = {}
        try:
            lines = self.text.decode("utf-8").split("\n")
        except UnicodeDecodeError:
            raise Bad("%s is not UTF-8" % path) from None
        for number, line in enumerate(lines, 1):
            if line.strip() and not line.strip().startswith("#"):
                self._take(line.strip(), "%s, line %d: " % (path, number))

    def _take(self, line: str, where: str) -> None:
        words = re.findall(r'(?:[^ \t"]|"[^"]*")+', line)
        name = words[0] if words else ""
        if not name.isascii() or not name or set(name) & set('*?!,"') or "cert-authority" in line.lower():
            raise Bad(where + "it does not name one person: no patterns, no lists, no cert-authority")
        try:
            kind = 2 if len(words) > 3 and words[2].startswith(("ssh-", "ecdsa-", "sk-")) else 1
            key = base64.b64decode(words[kind + 1], validate=True)
            if not words[kind].startswith(("ssh-", "ecdsa-", "sk-")) or not is_plain(key):
                raise ValueError
        except (ValueError, IndexError):
            raise Bad(where + "it is not a name, options and a public key") from None
        others = {other for other in self.people.values() if other != name and other.casefold() == name.casefold()}
        if key in self.people or others:
            raise Bad(where + "a key or a name is there twice")
        self.people[key] = name


def is_plain(key: bytes) -> bool:
    """Whether a key is written in the one way that there is: OpenSSH takes zeros before a number for the same key."""
    fields, rest = [], key
    while rest:
        end = 4 + int.from_bytes(rest[:4], "big")
        fields.append(rest[4:end])
        rest = rest[end:]
    return fields[:1] != [b"ssh-rsa"] or not any(each[:1] == b"\0" and each[1:2] < b"\x80" for each in fields[1:])


def fingerprint(key: bytes) -> str:
    """A public key as ssh-keygen -l names it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def _blob(armour: bytes) -> tuple[bytes, str]:
    """The key and the namespace of a signature. Raises Bad."""
    lines = armour.decode("ascii", "replace").strip().splitlines()
    try:
        if lines[0] != "-----BEGIN SSH SIGNATURE-----" or lines[-1] != "-----END SSH SIGNATURE-----":
            raise ValueError
        blob = base64.b64decode("".join(lines[1:-1]), validate=True)
        size = int.from_bytes(blob[10:14], "big")
        key, rest = blob[14 : 14 + size], blob[14 + size :]
        space = rest[4 : 4 + int.from_bytes(rest[:4], "big")].decode("ascii")
        if blob[:10] != b"SSHSIG\0\0\0\1" or len(key) != size:
            raise ValueError
    except (ValueError, IndexError):
        raise Bad("it is no SSH signature") from None
    return key, space


def keygen(arguments: list[str], text: bytes) -> bool:
    """Whether ssh-keygen says yes. Raises OSError where there is none, Bad where it is too old or hangs."""
    env = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT") if name in os.environ}
    env.update({"LC_ALL": "C", "TZ": "UTC"})
    command = ["ssh-keygen", "-Y", *arguments]
    try:
        done = subprocess.run(
            command, input=text, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env, timeout=30
        )
    except subprocess.TimeoutExpired:
        raise Bad("ssh-keygen did not answer") from None
    if b"option" in done.stderr and b"Y" in done.stderr and b"usage" in done.stderr:
        raise OSError("this ssh-keygen knows no signatures; OpenSSH has them since 8.1")
    return done.returncode == 0


def signed_by(text: bytes, armour: bytes, space: str, signers: Signers | None, at: str) -> tuple[str, str]:
    """The name (empty if nobody known) and the key that signed these bytes. Raises Bad, OSError."""
    key, said = _blob(armour)
    if said != space:
        raise Bad("it was made for another purpose than %s" % space)
    with tempfile.TemporaryDirectory() as place:
        signature, names = os.path.join(place, "sig"), os.path.join(place, "signers")
        with open(signature, "wb") as file:
            file.write(armour)
        if not keygen(["check-novalidate", "-n", space, "-s", signature], text):
            raise Bad("it is not a signature of this text")
        name = signers.people.get(key, "") if signers else ""
        if signers and name:
            with open(names, "wb") as file:
                file.write(signers.text)
            when = ["-O", "verify-time=" + re.sub("[^0-9]", "", at)[:14]]
            given = ["verify", "-f", names, "-I", name, "-n", space, "-s", signature]
            if not keygen(given + (when if b"valid-" in signers.text.lower() else []), text):
                raise Bad("the file of signers does not let %s sign this" % name)
    return name, fingerprint(key)


TITLE = "gonogo: the head of a session's journal"
SAID = ("session", "environment", "ticket", "operator", "record", "head", "why", "signed")


def _one_line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split()) or "-"


def read_signed(text: bytes) -> dict[str, str]:
    """What a signed text says of a record. Raises Bad."""
    try:
        lines = text.decode("utf-8").split("\n")
        said = dict(line.split(": ", 1) for line in lines[1:-1])
        right = "".join(["%s\n" % TITLE, *("%s: %s\n" % (name, said[name]) for name in SAID)])
        datetime.fromisoformat(said["signed"][:-1])
        forms = (_HASH.fullmatch(said["head"]), _TIME.fullmatch(said["signed"]))
        if right.encode() != text or not all(forms) or not re.fullmatch("0|[1-9][0-9]{0,14}", said["record"]):
            raise ValueError
    except (ValueError, KeyError):
        raise Bad("its text is not that of a session's head") from None
    return said


def _not_the_operator(name: str, journal: Journal) -> None:
    if name.casefold() == str(journal.opened["operator"].get("name")).casefold():
        raise Bad("it is by %s, who ran the session" % name)


def of_review(text: bytes, key: str, journal: Journal) -> None:
    """Raises Bad for a review of another record, or of one's own; KeyError and their like for what is none."""
    document = parsed(text)
    _not_the_operator(document["reviewer"], journal)
    if document["head"] != journal.head:
        raise Bad("it is of another record than this one")


def of_approval(text: bytes, key: str, journal: Journal) -> None:
    """The same for an approval, which is one of the plan that the journal has."""
    document, plan, opened = parsed(text), journal.plan, journal.opened
    _not_the_operator(document["approver"], journal)
    named = [(one["principal"], one["key"], one["sha256"]) for one in (plan.get("approval") or {}).get("approvers", ())]
    if (document["approver"], key, hashlib.sha256(text).hexdigest()) not in named:
        raise Bad("the journal names no such approval")
    its = document["plan"]
    covers = hashlib.sha256(canonical(its["covers"])).hexdigest()
    mine = (plan["hash"], opened["project"], opened["environment"], opened["ticket"])
    if (covers, its["project"], its["environment"], its["ticket"]) != mine:
        raise Bad("it is of another plan than the one that was run")


class Signatures:
    """The signatures of a pack: those of heads, of approvals, and of a review."""

    def __init__(self, pack: Pack, signers: Signers | None) -> None:
        self._pack, self._signers = pack, signers
        self._heads: list[tuple[str, dict[str, str], str, str]] = []
        self.reached: int | None = None
        self.denied = False
        self._signed: list[tuple[str, bytes, str, str]] = []
        names = sorted(pack.files.names)
        self._found = [name[:-4] for name in names if re.fullmatch(r"signatures/[^/]+\.sig", name)]
        self._papers = [name for name in names if re.fullmatch(r"approvals/(review|[0-9]-[^/]*)\.json", name)]

    @property
    def wanted(self) -> list[int]:
        """The records whose hashes are needed."""
        return [int(said["record"]) for _, said, _, _ in self._heads]

    def read(self) -> None:
        """Who signed what. What proves nothing is wrong with the pack."""
        try:
            for name in self._found:
                self._tried(name, self._head)
            for name in self._papers:
                self._tried(name, self._paper)
        except OSError as error:
            self._heads = []
            self._pack.lines.append("not checked: the signatures, because ssh-keygen cannot be used: %s" % error)

    def _tried(self, name: str, how: Any) -> None:
        try:
            how(name)
        except (Bad, KeyError, *UNREADABLE) as error:
            self._pack.wrong.append("the signature of %s proves nothing: %s" % (name, error))

    def _head(self, name: str) -> None:
        text, armour = self._pack.small(name + ".txt"), self._pack.small(name + ".sig")
        said = read_signed(text)
        self._heads.append((name, said, *signed_by(text, armour, "gonogo-head", self._signers, said["signed"])))

    def _paper(self, name: str) -> None:
        text, document = self._pack.small(name), parsed(self._pack.small(name))
        review = name == "approvals/review.json"
        space, claimed = ("gonogo-review", "reviewer") if review else ("gonogo-approval", "approver")
        if not isinstance(document, dict) or not isinstance(document.get("at"), str):
            raise Bad("it is no such document")
        who, key = signed_by(text, self._pack.small(name + ".sig"), space, self._signers, document["at"])
        if who and who != document.get(claimed):
            raise Bad("it is in the name of another than %s, who signed it" % who)
        self._signed.append((name, text, who, key))

    def _say(self, what: str, who: str, key: str) -> None:
        by = "%s, key %s" % (who, key) if who else "the key %s, which no signers' file names" % key
        self._pack.lines.append("%s: signed by %s" % (what, by))

    def judge(self, journal: Journal) -> None:
        """Hold the signed heads against the journal that is here."""
        opened = journal.opened
        if not opened:
            return
        for name, text, who, key in self._signed:
            review = name == "approvals/review.json"
            if not review and not journal.plan:
                continue  # it was given to a session that never made a plan
            try:
                (of_review if review else of_approval)(text, key, journal)
                self._say("%s of %s" % ("review" if review else "approval", name), who, key)
            except (Bad, KeyError, TypeError, AttributeError) as error:
                self._pack.wrong.append("the signature of %s proves nothing: %s" % (name, error))
        mine = {name: _one_line(str(opened[name])) for name in ("session", "environment", "ticket")}
        mine["operator"] = _one_line(str(opened["operator"].get("name")))
        for name, said, who, key in self._heads:
            number = int(said["record"])
            if any(said[field] != value for field, value in mine.items()):
                self._pack.wrong.append("the signature of %s is of the session %s" % (name, said["session"]))
            elif journal.hashes.get(number) != said["head"]:
                self._pack.wrong.append("%s: record %d was another one when it was signed" % (name, number))
                self.denied = self.denied or bool(who)
            else:
                self._say("record %d (%s)" % (number, said["why"]), who, key)
                if who:
                    self.reached = max(number, self.reached or 0)
                if who and number == 0 and who == opened["operator"].get("name"):
                    self._pack.lines.append("operator: %s signed the first record: proven, and not claimed" % who)


def verify(path: str, heads: Iterable[str] = (), signers: Signers | None = None) -> tuple[str, list[str], list[str]]:
    """The grade of a pack, what there is to say of it, and what is wrong. Raises Bad, OSError, BadZipFile."""
    pack = Pack(path)
    if "manifest.json" in pack.files.names or isinstance(pack.files, Zip):
        pack.check_manifest()
    else:
        pack.lines.append("pack: none, but the folder of a session: it has no manifest.json")
    if "journal.jsonl" not in pack.files.names:
        raise Bad("it has no journal.jsonl")
    signatures = Signatures(pack, signers)
    signatures.read()
    try:
        journal = Journal(lines_of(pack.files.open("journal.jsonl")), heads, signatures.wanted)
    except UNREADABLE as error:
        raise Bad("its journal.jsonl cannot be read: %s" % error) from None
    pack.check_said(journal)
    pack.check_named(journal)
    if not journal.fault:
        signatures.judge(journal)
    grade = journal.grade(signatures.reached, signatures.denied)
    return grade, [*_told(journal), *pack.lines], [*pack.wrong, *_wrong(journal)]


def _told(journal: Journal) -> Iterator[str]:
    opened = journal.opened
    if opened:
        yield "session: %s, %s, %s" % (opened["session"], opened["environment"], opened["ticket"] or "no ticket")
    yield "records: %d, %s" % (journal.records, "ended" if journal.ended else "no end")
    yield "head: %d:%s" % (journal.records - 1, journal.head) if journal.records else "head: none"
    if journal.torn:
        yield "torn: the last line is unfinished, and not counted"
    if journal.reached is not None:
        yield "anchor: the records up to %d are as they were when that head was taken" % journal.reached


def _wrong(journal: Journal) -> Iterator[str]:
    if journal.fault:
        yield journal.fault
    for head in sorted(journal.strangers):
        yield "no record has the head %s" % head


def _print(line: str) -> None:
    coding = sys.stdout.encoding or "ascii"
    print(_one_line(line).encode(coding, "backslashreplace").decode(coding))


def main(arguments: list[str]) -> int:
    """0 when the grade is reached and nothing is wrong, 1 when not, 2 when it was called wrongly."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("pack", nargs="?", default=here, help="the archive, or the folder that it was unpacked into")
    parser.add_argument("--head", action="append", default=[], help="a head noted elsewhere: HASH, or SEQ:HASH")
    parser.add_argument("--signers", help="who may sign, in OpenSSH's format: one name and key a line")
    parser.add_argument("--at-least", choices=GRADES[1:], default="consistent", help="the grade that it must reach")
    given = parser.parse_args(arguments)
    heads = [head.strip().lower() for head in given.head]
    if not all(map(_HEAD.fullmatch, heads)):
        parser.error("a head is the 64 hex digits of a record's hash, or SEQ:HASH")
    heads = [re.sub("^0+(?=[0-9]+:)", "", head) for head in heads]
    try:
        signers = Signers(given.signers) if given.signers else None
        grade, lines, wrong = verify(given.pack, heads, signers)
    except (Bad, OSError, *UNREADABLE) as error:
        _print("cannot be verified: %s: %s" % (given.pack, error))
        return 1
    lines += [] if signers else ["not checked: who signed; --signers FILE says whose keys count"]
    lines += ["not checked here: whether the pages say what the journal says; gonogo does that"]
    for line in [*lines, *("wrong: " + each for each in wrong), "grade: %s: %s" % (grade, MEANING[grade])]:
        _print(line)
    return 0 if GRADES.index(grade) >= GRADES.index(given.at_least) and not wrong else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

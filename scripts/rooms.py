#!/usr/bin/env python3
"""Fails on a file of src/ that includes a header of a room which the room's own line in CMakeLists.txt does not name.

  scripts/rooms.py           checks all files of src/ and the list in docs/architecture.md
  scripts/rooms.py --write   writes that list anew

Include paths hold the rooms that a room links, and those that these link: compilers see more than the line names. (A line may name a room whose
headers are those of include/whorl.) Also checked: the rooms of devices include only such headers of include/whorl as say nothing of proofs.
Exit codes: 0 no finding, 1 findings.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/architecture.md"
BEGIN, END = "<!-- rooms:begin -->\n", "<!-- rooms:end -->\n"
# What a device may know of the public headers.
OF_DEVICES = {"whorl/device_types.hpp", "whorl/error.hpp", "whorl/telemetry.hpp"}


def rooms_of(text):
    """By folder of a room: the rooms that its line names, but for the public headers."""
    rooms = {}
    for folder, rest in re.findall(r"^\s*whorl_room\(([a-z_/]+)([^)]*)\)", text, flags=re.M):
        used = re.search(r"USES((?:\s+[a-z0-9_/]+)*)", rest)
        rooms[folder] = [name for name in (used.group(1).split() if used else []) if name != "api"]
        # The engine takes what the build has.
        for target in re.findall(r"TARGET_NAME_IF_EXISTS:whorl_([a-z_]+)", rest):
            rooms[folder].append(next(name for name in rooms if name.replace("/", "_") == target))
    return rooms


def room_of(path, rooms):
    """The innermost room that a path like "device/sim/thread.hpp" lies in."""
    folder = path.rpartition("/")[0]
    while folder and folder not in rooms:
        folder = folder.rpartition("/")[0]
    return folder


def check(rooms):
    findings = []
    for folder, uses in rooms.items():
        for path in sorted((ROOT / "src" / folder).iterdir()):
            if path.suffix not in (".hpp", ".cpp", ".h", ".cu"):
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if not (include := re.match(r'\s*#\s*include\s+[<"]([^>"]+)[>"]', line)):
                    continue
                header, place = include.group(1), f"{path.relative_to(ROOT)}:{number}"
                if folder.startswith("device") and header.startswith("whorl/") and header not in OF_DEVICES:
                    findings.append(f"{place}: a device includes {header}, which speaks of proofs")
                other = room_of(header, rooms)
                if not other or other == folder:
                    continue
                if other not in uses:
                    findings.append(f"{place}: {folder} includes {header}, and its line in CMakeLists.txt does not name {other}")
    return findings


def listing(rooms):
    width = max(map(len, rooms))
    return "```text\n" + "".join(f"{folder:<{width}}  {' '.join(sorted(uses)) or '-'}\n" for folder, uses in rooms.items()) + "```\n"


def main():
    rooms = rooms_of((ROOT / "CMakeLists.txt").read_text())
    findings = check(rooms)
    page = PAGE.read_text()
    begin, end = page.index(BEGIN) + len(BEGIN), page.index(END)
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page[:begin] + listing(rooms) + page[end:])
    elif sys.argv[1:]:
        print(__doc__, file=sys.stderr)
        return 2
    elif page[begin:end] != listing(rooms):
        findings.append("docs/architecture.md: its list of rooms is not that of CMakeLists.txt; scripts/rooms.py --write")
    print("\n".join(findings) or f"rooms: {len(rooms)} rooms include what their lines name")
    return 1 if findings else 0


sys.exit(main())

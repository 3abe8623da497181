#!/usr/bin/env python3
"""Fails when two objects of a build define one name differently: the linker keeps one of the definitions without a word.

  scripts/one_definition.py BUILD_DIR    all objects under BUILD_DIR
  scripts/one_definition.py A.o B.o ...  these objects

The objects must be compiled without optimisation (preset debug): only then does one text give one code in every file.
Compared are all names that more than one object defines weakly (inline functions, templates, inline variables, vtables), and names
that one object defines weakly and another strongly: their bytes, and what their relocations refer to. Objects of different
compilers or languages are compared among themselves only. Exit codes: 0 no difference, 1 differences, 2 usage, 3 nothing to compare.
"""

import bisect
import functools
import pathlib
import re
import struct
import subprocess
import sys
from collections import defaultdict

ELF_64_LITTLE = b"\x7fELF\x02\x01"
SHT_SYMTAB, SHT_RELA, SHT_NOBITS = 2, 4, 8
SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR = 1, 2, 4
STB_LOCAL, STB_GLOBAL, STB_WEAK, STB_UNIQUE = 0, 1, 2, 10
STT_OBJECT, STT_FUNC, STT_SECTION = 1, 2, 3
SHN_UNDEF, SHN_LORESERVE = 0, 0xFF00
EM_X86_64 = 62
X86_64_RELATIVE = {2, 4, 9, 41, 42}  # R_X86_64_PC32, PLT32, GOTPCREL, GOTPCRELX, REX_GOTPCRELX
X86_64_WIDTH_8 = {1, 16, 17, 18, 24, 25}  # R_X86_64_64, DTPMOD64, DTPOFF64, TPOFF64, PC64, GOTOFF64

# Names whose outermost scope is a library's. GCC drops the clean-up code of a library's function where it knows that a callee does not
# throw, which depends on the rest of the file; whose definitions they are is not ours to decide either.
FOREIGN = re.compile(
    r"_Z(GV|GR|T[VTISChv]|Z)*N?[rVK]*[RO]?"
    r"(S[tabiosd]|9__gnu_cxx|10__cxxabiv1|3fmt|3tbb|3hwy|7testing|9benchmark|8nlohmann|3CLI|5boost)"
)
# But what macros of ours change is: which instruction sets a file is compiled for (field/simd.hpp).
OURS_TO_SET = re.compile(r"_ZNK?3hwy12ChosenTarget")


def is_elf(path):
    with path.open("rb") as file:
        return file.read(len(ELF_64_LITTLE)) == ELF_64_LITTLE


class Section:
    def __init__(self, header, data):
        (self.name_at, self.kind, self.flags, _, self.offset, self.size, self.link, self.info, _, _) = header
        self.bytes = b"" if self.kind == SHT_NOBITS else data[self.offset : self.offset + self.size]
        self.name = ""


def text_at(table, offset):
    return table[offset : table.index(b"\0", offset)].decode()


class Object:
    """The symbols, sections and relocations of one 64-bit little-endian ELF object."""

    def __init__(self, path):
        data = path.read_bytes()
        if not data.startswith(ELF_64_LITTLE):
            raise ValueError(f"{path}: not a 64-bit little-endian ELF object")
        self.path = path
        self.machine = struct.unpack_from("<H", data, 18)[0]
        start, entry_size, count, names = struct.unpack_from("<Q10xHHH", data, 40)
        self.sections = [
            Section(struct.unpack_from("<IIQQQQIIQQ", data, start + i * entry_size), data) for i in range(count)
        ]
        for section in self.sections:
            section.name = text_at(self.sections[names].bytes, section.name_at)
        table = next(s for s in self.sections if s.kind == SHT_SYMTAB)
        strings = self.sections[table.link].bytes
        self.symbols = []  # (name, binding, type, section index, value, size)
        for name_at, info, _, index, value, size in struct.iter_unpack("<IBBHQQ", table.bytes):
            self.symbols.append((text_at(strings, name_at), info >> 4, info & 15, index, value, size))
        self.relocations = {
            s.info: list(struct.iter_unpack("<QIIq", s.bytes)) for s in self.sections if s.kind == SHT_RELA
        }
        self.compiler = next((s.bytes for s in self.sections if s.name == ".comment"), b"")

    def definitions(self):
        """Yields (name, binding, symbol) for functions and variables with a name that the linker sees."""
        for symbol in self.symbols:
            name, binding, kind, index, _, _ = symbol
            if binding == STB_LOCAL or kind not in (STT_OBJECT, STT_FUNC):
                continue
            if SHN_UNDEF < index < SHN_LORESERVE:
                yield name, binding, symbol

    def target(self, relocation, symbol, addend):
        """What a relocation refers to, without what differs between files for no reason of the text's."""
        name, binding, kind, index, value, _ = self.symbols[symbol]
        if binding != STB_LOCAL or index == SHN_UNDEF or index >= SHN_LORESERVE:
            return name, addend
        section = self.sections[index]
        if kind != STT_SECTION and not name.startswith(".L"):
            return re.sub(r"\.\d+$", "", name), addend
        at = value + self.offset_of(relocation, addend)
        for other, _, other_kind, other_index, other_value, other_size in self.symbols:
            if other_kind not in (STT_OBJECT, STT_FUNC) or other_index != index or other.startswith(".L"):
                continue
            if 0 <= at - other_value < other_size:
                return re.sub(r"\.\d+$", "", other), at - other_value
        if section.flags & SHF_WRITE or section.flags & SHF_EXECINSTR or not section.flags & SHF_ALLOC:
            return section.name, None
        # A literal: text ends at its zero; of other constants, whose size nothing tells, the first word is compared.
        text = section.bytes[at : section.bytes.find(b"\0", at)]
        if text and min(text) >= ord("\t"):
            return "literal", text
        starts = self.starts_in(index)
        following = bisect.bisect_right(starts, at)
        end = min([at + 8, *starts[following : following + 1]])
        return "literal", section.bytes[at:end].rstrip(b"\0")

    def offset_of(self, kind, addend):
        """The offset that an addend stands for: relative addresses on x86-64 count from the end of their four bytes."""
        return addend + 4 if self.machine == EM_X86_64 and kind in X86_64_RELATIVE else addend

    @functools.cache
    def starts_in(self, index):
        """Where relocations point to in a section, sorted."""
        starts = set()
        for entries in self.relocations.values():
            for _, kind, target, addend in entries:
                _, binding, _, target_index, value, _ = self.symbols[target]
                if binding == STB_LOCAL and target_index == index:
                    starts.add(value + self.offset_of(kind, addend))
        return sorted(starts)

    def body(self, symbol):
        """The bytes of a definition with relocated places cleared, and its relocations."""
        _, _, _, index, value, size = symbol
        section = self.sections[index]
        if section.kind == SHT_NOBITS:
            return size, ()
        code = bytearray(section.bytes[value : value + size])
        references = []
        for offset, kind, target, addend in self.relocations.get(index, ()):
            if value <= offset < value + size:
                at = offset - value
                width = 8 if self.machine != EM_X86_64 or kind in X86_64_WIDTH_8 else 4
                if self.machine == EM_X86_64:
                    code[at : at + width] = bytes(width)
                references.append((at, kind, *self.target(kind, target, addend)))
        if self.machine == EM_X86_64:
            return without_idle_jumps(bytes(code), references)
        return bytes(code), tuple(references)


IDLE_JUMP = b"\xeb\x00"  # x86-64: to the next instruction


def without_idle_jumps(code, references):
    """The same body without them: unoptimised, clang leaves more or fewer from one file to the next."""
    starts = [match.start() for match in re.finditer(re.escape(IDLE_JUMP), code)]
    moved = tuple((at - len(IDLE_JUMP) * bisect.bisect_left(starts, at), *rest) for at, *rest in references)
    return code.replace(IDLE_JUMP, b""), moved


def demangle(names):
    try:
        answer = subprocess.run(["c++filt"], input="\n".join(names), text=True, capture_output=True, check=True)
        return answer.stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        return names


def compare(paths):
    """Returns (names compared, [(name, [groups of files that agree])])."""
    definitions = defaultdict(lambda: defaultdict(list))  # (compiler, name) → body → files
    is_replaceable = set()
    for path in paths:
        item = Object(path)
        for name, binding, symbol in item.definitions():
            if FOREIGN.match(name) and not OURS_TO_SET.match(name):
                continue
            key = (item.compiler, name)
            definitions[key][item.body(symbol)].append(path)
            if binding in (STB_WEAK, STB_UNIQUE):
                is_replaceable.add(key)
    compared, differing = 0, []
    for key in is_replaceable:
        bodies = definitions[key]
        if sum(len(files) for files in bodies.values()) > 1:
            compared += 1
            if len(bodies) > 1:
                differing.append((key[1], sorted(bodies.values(), key=len)))
    return compared, sorted(differing)


def main(arguments):
    if not arguments or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    paths = [pathlib.Path(a) for a in arguments]
    if len(paths) == 1 and paths[0].is_dir():
        # A build for macOS may be in a folder of this one.
        paths = [path for path in sorted(paths[0].rglob("*.o")) if is_elf(path)]
    compared, differing = compare(paths)
    if compared == 0:
        print(f"one_definition: no name is defined in two of {len(paths)} objects; is this a build folder?", file=sys.stderr)
        return 3
    for (_, groups), name in zip(differing, demangle([name for name, _ in differing])):
        print(f"one_definition: {name} is defined in {len(groups)} ways:", file=sys.stderr)
        for files in groups:
            more = f" and {len(files) - 1} more" if len(files) > 1 else ""
            print(f"  {files[0]}{more}", file=sys.stderr)
    if differing:
        print(f"one_definition: {len(differing)} of {compared} names have more than one definition; "
              "put helpers of a .cpp file into an unnamed namespace", file=sys.stderr)
        return 1
    print(f"one_definition: {compared} names that several of {len(paths)} objects define have one definition each")
    return 0


sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python3
"""Canaries: made-up secrets, and the search for them in whatever form.

  canary.py make NAME...                 prints NAME=value lines: 44 random characters around a few that get escaped
  canary.py patterns FILE                prints the patterns of the values in FILE, one a line, for grep -F
  canary.py watch DIR LOCKFLIGHT         until SIGTERM: what new processes have as arguments and environment

A pattern is a window of 12 characters of the value, or 16 of one of its other forms: what was cut, wrapped or put
between other things is found too. The watcher leaves out the environment of the program itself, which is where it
takes values from, and that of Edge Functions, which need them.
"""
import base64
import json
import os
import secrets
import signal
import string
import sys
import time
import urllib.parse


def make(names):
    letters = string.ascii_letters + string.digits
    for name in names:
        half = ["".join(secrets.choice(letters) for _ in range(22)) for _ in range(2)]
        print(f"{name}={half[0]}+/%=&{half[1]}")


def windows(text, size):
    return {text[i : i + size] for i in range(len(text) - size + 1)}


def stable_base64(value):
    """What does not depend on the neighbours, at each position within three bytes."""
    for shift, skip in ((0, 0), (1, 2), (2, 3)):
        text = base64.b64encode(b"\0" * shift + value)
        yield text[skip : (shift + len(value)) * 8 // 6]


def forms(value):
    raw = value.encode()
    yield from windows(raw, 12)
    yield from windows(raw[::-1], 12)
    others = list(stable_base64(raw))
    others += [text.replace(b"+", b"-").replace(b"/", b"_") for text in others]
    others += [raw.hex().encode(), raw.hex().upper().encode(), base64.b32encode(raw).rstrip(b"=")]
    others.append(urllib.parse.quote(value, safe="").encode())
    others.append(json.dumps(value).strip('"').encode())
    others.append("".join(f"\\u{ord(c):04x}" for c in value).encode())
    others.append("".join(f"\\x{ord(c):02x}" for c in value).encode())
    others.append("".join(f"&#{ord(c)};" for c in value).encode())
    others.append("".join(f"%{ord(c):02X}" for c in value).encode())
    others.append(value.encode("utf-16-le")[:-1])
    for text in others:
        yield from windows(text, 16)


def patterns(path):
    found = set()
    for line in open(path, encoding="utf-8"):
        found.update(forms(line.rstrip("\n").split("=", 1)[1]))
    sys.stdout.buffer.write(b"\n".join(sorted(found)) + b"\n")


def read(pid, name):
    with open(f"/proc/{pid}/{name}", "rb") as file:
        return file.read().replace(b"\0", b"\n")


def watch(folder, program):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    old = set(os.listdir("/proc"))
    seen = set()
    count = 0
    open(f"{folder}/ready", "w").close()
    while True:
        for pid in os.listdir("/proc"):
            if not pid.isdigit() or pid in old:
                continue
            try:
                exe = os.readlink(f"/proc/{pid}/exe")
                arguments = read(pid, "cmdline")
                ours = exe == program or os.path.basename(exe) == "deno"
                environment = b"" if ours else read(pid, "environ")
                if os.readlink(f"/proc/{pid}/exe") != exe:
                    continue  # it became another program meanwhile: what was read may be of either; the next round has it
            except OSError:
                continue
            if (pid, arguments) in seen:
                continue
            seen.add((pid, arguments))
            count += 1
            with open(f"{folder}/{count}.{os.path.basename(exe)}", "wb") as file:
                file.write(arguments + b"\n--\n" + environment)
        time.sleep(0.002)


if __name__ == "__main__":
    {"make": lambda a: make(a), "patterns": lambda a: patterns(*a), "watch": lambda a: watch(*a)}[sys.argv[1]](sys.argv[2:])

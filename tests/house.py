#!/usr/bin/env python3
"""The house (src/README.md, section 6 of the design): rooms stand above each other, and every one uses only rooms below.

Checked: no #include and no call goes up; a header under include/cospin/ROOM is used by another room, one beside its
.c by none; headers do not include each other in a circle; no room holds more than a fifth of all lines; no file is
longer than 500 lines; every .c file begins with a comment, and comments have their share of the lines.

    house.py [--table]        with --table: files, lines and comments of every room
"""
import collections
import pathlib
import re
import sys

ROOMS = """deck dataset problem observable operator solver point approximate tasks store farm check cli""".split()
MOST_LINES = 500
MOST_SHARE = 0.20  # of all lines, of one room
LEAST_COMMENTS = 0.119  # of the lines of .c files; to be raised with them

GENERATED = {"cospin/version.h", "cospin/new_decks.h"}  # headers that the build makes
ROOT = pathlib.Path(__file__).resolve().parent.parent
PUBLIC = "include/cospin/"


def room_of(file):
    parts = (file[len(PUBLIC):] if file.startswith(PUBLIC) else file[len("src/"):]).split("/")
    return parts[0] if len(parts) > 1 else "main"


def height(room):
    return ROOMS.index(room) if room in ROOMS else len(ROOMS)


def code_of(text):
    """The text without comments and strings."""
    return re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"', "", text, flags=re.S)


def comment_lines(text):
    lines, inside = 0, False
    for line in text.splitlines():
        lines += inside or "/*" in line
        inside = "*/" not in line.rsplit("/*", 1)[-1] if "/*" in line else inside and "*/" not in line
    return lines


def begins_with_comment(text):
    return bool(re.match(r"\s*(#(ifndef|define|endif).*\n)*/\*", text))


def read_files():
    files = {}
    for folder in ("src", "include"):
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            files[path.relative_to(ROOT).as_posix()] = path.read_text()
    return files


def includes_of(file, text, files):
    """Files of ours that it includes; None for one that is not there."""
    for kind, name in re.findall(r'^#include ([<"])([^>"]+)', text, re.M):
        if kind == "<":
            if name.startswith("cospin/") and name not in GENERATED:
                yield name, "include/" + name if "include/" + name in files else None
        else:
            beside, below = f"{file.rpartition('/')[0]}/{name}", f"src/{name}"
            yield name, beside if beside in files else below if below in files else None


def check_includes(files, faults):
    users = collections.defaultdict(set)
    graph = {}
    for file, text in files.items():
        graph[file] = []
        for name, found in includes_of(file, text, files):
            if not found:
                faults.append(f"{file}: no file {name}")
                continue
            graph[file].append(found)
            users[found].add(room_of(file))
            if file.startswith(PUBLIC) and not found.startswith(PUBLIC):
                faults.append(f"{file}: includes {found}, which other rooms do not see")
            if height(room_of(found)) > height(room_of(file)):
                faults.append(f"{file}: {room_of(found)} stands above {room_of(file)}, but {name} is included")
    for file, text in files.items():
        others = users[file] - {room_of(file)}
        if file.endswith(".h") and not file.startswith(PUBLIC) and others:
            faults.append(f"{file}: used by {', '.join(sorted(others))}, so it belongs into {PUBLIC}{room_of(file)}")
    check_public(files, graph, users, faults)
    check_circles(graph, faults)


def check_public(files, graph, users, faults):
    """A public header is included by another room, itself or through a public header that is."""
    wanted = {file for file in files if file.startswith(PUBLIC) and users[file] - {room_of(file)}}
    todo = list(wanted)
    while todo:
        for found in graph[todo.pop()]:
            if found not in wanted:
                wanted.add(found)
                todo.append(found)
    for file in files:
        if file.startswith(PUBLIC) and file not in wanted:
            faults.append(f"{file}: used by {room_of(file)} alone, so it belongs beside its .c")


def check_circles(graph, faults):
    done = set()

    def visit(file, path):
        if file in path:
            faults.append("circle: " + " -> ".join(path[path.index(file):] + [file]))
        elif file not in done:
            for found in graph[file]:
                visit(found, path + [file])
            done.add(file)

    for file in graph:
        visit(file, [])


def check_calls(files, faults):
    """Functions and tables that are defined above are not named below, whoever declares them."""
    code = {file: code_of(text) for file, text in files.items()}
    home = {}
    for file, text in code.items():
        if file.endswith(".c"):
            for name in re.findall(r"^(?!static|extern|#)[A-Za-z][\w *]*?\b(Cospin\w+)(?:\(| =|\[)", text, re.M):
                home[name] = file
    for file, text in code.items():
        for name in sorted(set(re.findall(r"\bCospin\w+", text)) & home.keys()):
            if file.endswith(".c") and height(room_of(home[name])) > height(room_of(file)):
                faults.append(f"{file}: {name} stands above it, in {home[name]}")


def check_sizes(files, faults):
    lines = collections.Counter()
    comments = total = 0
    for file, text in files.items():
        count = text.count("\n")
        lines[room_of(file)] += count
        if count > MOST_LINES:
            faults.append(f"{file}: {count} lines, more than {MOST_LINES}")
        if file.endswith(".c"):
            comments += comment_lines(text)
            total += count
            if not begins_with_comment(text):
                faults.append(f"{file}: does not begin with a comment that says what it knows")
    for room, count in lines.items():
        if count > MOST_SHARE * lines.total():
            faults.append(f"{room}: {count} of {lines.total()} lines, more than {MOST_SHARE:.0%}")
        if room != "main" and room not in ROOMS:
            faults.append(f"{room}: a room that tests/house.py does not know")
    if comments < LEAST_COMMENTS * total:
        faults.append(f"comments are {comments / total:.1%} of the lines of .c files, less than {LEAST_COMMENTS:.0%}")


def show_table(files):
    rows = collections.defaultdict(lambda: [0, 0, 0, 0])
    for file, text in files.items():
        row = rows[room_of(file)]
        row[0] += 1
        row[1] += text.count("\n")
        if file.endswith(".c"):
            row[2] += text.count("\n")
            row[3] += comment_lines(text)
    total = [sum(column) for column in zip(*rows.values())]
    print(f"{'room':12} files  lines  share  comments of .c")
    for room, row in sorted(rows.items(), key=lambda item: height(item[0])) + [("all", total)]:
        print(f"{room:12} {row[0]:5} {row[1]:6} {row[1] / total[1]:6.1%} {row[3] / max(row[2], 1):8.1%}")


def main():
    files = read_files()
    faults = []
    if sys.argv[1:] == ["--table"]:
        show_table(files)
    check_includes(files, faults)
    check_calls(files, faults)
    check_sizes(files, faults)
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()

"""The manual: every deck in it runs, every key and variable has a word in it, every link leads somewhere."""
# cospin-test: TIMEOUT 600
import glob
import os
import re
import subprocess
import tempfile
import unittest

SOURCE = os.environ.get("COSPIN_SOURCE_DIR") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.environ.get("COSPIN_PROGRAM") or os.path.join(SOURCE, "build", "release", "cospin")
PAGES = ["README.md", "input/README.md", "input/light.md", "input/time.md", "input/trajectories.md", "input/any_size.md", "input/many_spins.md", "input/arrays.md", "input/decks.md",
         "jobscripts/README.md", "postprocess/README.md", "postprocess/qutip.md", "src/README.md", "tests/README.md", "CHANGELOG.md"]
LONGEST = {"README.md": 150}  # lines; others 300
WITH_DECKS = ["input/README.md", "input/light.md", "input/time.md", "input/trajectories.md", "input/any_size.md", "input/many_spins.md", "input/arrays.md"]


def page(name):
    with open(os.path.join(SOURCE, name), encoding="utf-8") as file:
        return file.read()


def decks(text):
    return re.findall(r"^```yaml\n(.*?)^```$", text, re.M | re.S)


def run(*arguments, folder=None):
    environment = {**os.environ, "OMPI_MCA_ess_singleton_isolated": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.run([PROGRAM, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False)


def entries(reference):
    """(part, name): the part is the task, kind or generator that an entry stands under, or its chapter."""
    part, found = "", []
    for line in reference.split("\n"):
        if heading := re.match(r"  (?:task|kind|generator) (\w+): ", line):
            part = heading.group(1)
            found.append(("", part))
        elif re.match(r"[A-Z ,]+$", line):
            part = line
        elif entry := re.match(r"    ([A-Za-z]\S*)(  .*)?$", line):
            found.append((part, entry.group(1)))
    return found


def spellings(part, name):
    """How the manual may write it: in full, `_what` in a row of a task's, TASK_what, or a part of a generator's."""
    yield name
    if name.startswith(part + "_"):
        yield name[len(part):]
        yield "TASK" + name[len(part):]
    if "OBSERVABLE" in name:
        yield "TASK_OBSERVABLE"
    if name.startswith("NAME."):
        yield name[5:]
    if name.startswith("COMPONENT_"):
        yield name[10:]
        yield name[9:]


class Manual(unittest.TestCase):
    def test_pages_are_short(self):
        for name in PAGES:
            self.assertLessEqual(page(name).count("\n"), LONGEST.get(name, 300), name)

    def test_links_lead_somewhere(self):
        for name in PAGES:
            for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page(name)):
                if "://" in link or link.startswith("`"):
                    continue
                self.assertTrue(os.path.exists(os.path.join(SOURCE, os.path.dirname(name), link)), f"{name}: {link}")

    def test_files_of_the_house_are_there(self):
        text = page("src/README.md")
        rooms = {name for name in os.listdir(os.path.join(SOURCE, "src")) if "." not in name}
        for path in re.findall(r"`([a-z]+/[a-z_/]+\.[ch])`", text):
            folder = "src" if path.split("/")[0] in rooms else "include" if path.startswith("cospin/") else ""
            self.assertTrue(os.path.exists(os.path.join(SOURCE, folder, path)), path)
        for room in rooms:
            self.assertIn(f"| `{room}/` |", text)

    def test_every_shipped_deck_is_named(self):
        for file in glob.glob(os.path.join(SOURCE, "input", "*.yaml")):
            name = os.path.basename(file)
            self.assertIn(f"[{name}]({name})", page("input/decks.md"))
            self.assertIn(f"`{name[:-5]}`", page("README.md"))

    def test_every_section_of_the_decks_begins_with_one(self):
        for name in WITH_DECKS:
            for section in re.split(r"^## ", page(name), flags=re.M)[1:]:
                body = section.split("\n", 1)[1].lstrip()
                self.assertTrue(body.startswith("```yaml\n"), f"{name}: {section[:40]}")

    def test_every_deck_runs(self):
        for name in ["README.md", *WITH_DECKS]:
            for number, text in enumerate(decks(page(name))):
                with self.subTest(page=name, deck=text.split("\n")[0]), tempfile.TemporaryDirectory() as folder:
                    with open(os.path.join(folder, "deck.yaml"), "w", encoding="utf-8") as file:
                        file.write(text)
                    smaller = ["--set", "N=12"] if name == "README.md" else []
                    result = run("run", "deck.yaml", "--quiet", *smaller, folder=folder)
                    self.assertEqual(result.returncode, 0, f"{name}, deck {number}: {result.stdout}{result.stderr}")

    def test_every_key_and_variable_has_a_word(self):
        manual = "\n".join(page(name) for name in PAGES)
        words = set(re.findall(r"\w+", manual))
        found = entries(run("reference").stdout)
        self.assertGreater(len(found), 300)
        missing = [f"{part}: {name}" for part, name in found if not any(word in words for word in spellings(part, name))]
        self.assertEqual(missing, [])

    def test_variables_that_the_manual_names_are_there(self):
        found = entries(run("reference").stdout)
        tasks = {part for part, name in found if name == f"{part}_outcome"}
        known = {name for _, name in found} | tasks
        for name in WITH_DECKS + ["postprocess/README.md"]:
            for word in re.findall(r"`([a-z]\w*)`", page(name)):
                task = max((task for task in tasks if word.startswith(task + "_")), key=len, default=None)
                if task and "davidson" not in word and "OBSERVABLE" not in word:
                    suffixed = {re.sub(r"_(re|im)$", "", one) for one in known}
                    self.assertTrue(word in known | suffixed or self.is_observable(word, task), f"{name}: {word}")

    def is_observable(self, word, task):
        """Whether a deck of the manual has this observable, of a real task or one of its own name."""
        what = re.sub(r"_error$", "", word[len(task) + 1:])
        return any(re.search(rf"\b{what}: ", page(name)) for name in WITH_DECKS) or what in ("inversion", "magnetisation")

    def test_the_version_is_the_same_everywhere(self):
        version = re.search(r"project\(cospin VERSION ([0-9.]+)", page("CMakeLists.txt")).group(1)
        self.assertEqual(re.search(r"^## ([0-9.]+)", page("CHANGELOG.md"), re.M).group(1), version)
        self.assertEqual(re.search(r"^version: ([0-9.]+)", page("CITATION.cff"), re.M).group(1), version)
        self.assertTrue(run("--version").stdout.startswith(f"cospin {version}"))


if __name__ == "__main__":
    unittest.main()

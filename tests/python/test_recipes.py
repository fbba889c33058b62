"""Recipes for clusters: each is built where its tool is (a long test), and looked at everywhere: its syntax, versions, what it names."""
# cospin-test: TIMEOUT 300
import ast
import os
import re
import shutil
import subprocess
import unittest

SOURCE = os.environ.get("COSPIN_SOURCE_DIR") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LONG = bool(os.environ.get("COSPIN_TEST_LONG"))
JOBSCRIPTS = os.path.join(SOURCE, "jobscripts")
INSTRUCTIONS = {"FROM", "COPY", "WORKDIR", "RUN", "ENV", "ENTRYPOINT", "CMD"}
SECTIONS = {"files", "post", "environment", "runscript", "test"}


def text_of(*names):
    with open(os.path.join(SOURCE, *names), encoding="utf-8") as stream:
        return stream.read()


def version():
    return re.search(r"project\(cospin VERSION ([0-9.]+)", text_of("CMakeLists.txt")).group(1)


def tool(*words):
    """Whether a tool is here, and works: docker without its daemon does not."""
    return shutil.which(words[0]) and subprocess.run(words, check=False, capture_output=True, timeout=60).returncode == 0


def shell_accepts(text):
    return subprocess.run(["bash", "-n"], input=text, text=True, check=False, capture_output=True)


class Docker(unittest.TestCase):
    def instructions(self):
        """[(word, rest)], lines that are continued put together."""
        lines = [line for line in text_of("jobscripts", "containers", "Dockerfile").splitlines() if line and not line.startswith("#")]
        whole = re.sub(r"\\\n\s*", " ", "\n".join(lines))
        return [line.split(" ", 1) for line in whole.split("\n")]

    def test_every_line_is_an_instruction(self):
        found = self.instructions()
        self.assertLessEqual({word for word, _ in found}, INSTRUCTIONS)
        self.assertEqual(found[0][0], "FROM")
        for word, rest in found:
            if word == "RUN":
                self.assertEqual(shell_accepts(rest).returncode, 0, rest)
            if word in ("ENTRYPOINT", "CMD"):
                self.assertIsInstance(ast.literal_eval(rest), list)
            if word == "COPY" and "--from" not in rest:
                self.assertTrue(os.path.exists(os.path.join(SOURCE, rest.split()[0])))

    def test_what_runs_is_what_is_linked(self):
        """Debian's packages of the second stage hold the libraries that the program names."""
        if not shutil.which("dpkg-query"):
            self.skipTest("no Debian")
        runs = next(rest for word, rest in self.instructions()[::-1] if word == "RUN")
        packages = [word for word in re.search(r"--no-install-recommends (.*?)&&", runs).group(1).split()]
        self.assertGreater(len(packages), 10)
        program = os.environ.get("COSPIN_PROGRAM") or os.path.join(SOURCE, "build", "release", "cospin")
        needed = re.findall(r"NEEDED.*\[(lib(?:petsc|slepc|hdf5|fyaml)[^\]]*)\]", subprocess.run(["readelf", "-d", program], check=True, text=True,
                                                                                               capture_output=True).stdout)
        self.assertGreaterEqual(len(needed), 4)
        for library in needed:
            if not re.match(r"lib(petsc|slepc)_complex\.so\.3\.18|libhdf5_openmpi|libfyaml", library):
                self.skipTest("built with other libraries than Debian's")
        files = subprocess.run(["dpkg-query", "-L", *packages], check=False, text=True, capture_output=True)
        self.assertEqual(files.returncode, 0, files.stderr)
        names = {os.path.basename(path) for path in files.stdout.split()}
        self.assertEqual([library for library in needed if library not in names], [])

    @unittest.skipUnless(LONG and tool("docker", "info"), "no docker here, or not a long test")
    def test_it_is_built_and_runs(self):
        subprocess.run(["docker", "build", "-f", "jobscripts/containers/Dockerfile", "-t", "cospin-test", "."], check=True, cwd=SOURCE)
        said = subprocess.run(["docker", "run", "--rm", "cospin-test", "--version"], check=True, text=True, capture_output=True).stdout
        self.assertIn(version(), said)


class Apptainer(unittest.TestCase):
    def test_sections(self):
        head, *parts = re.split(r"^%", text_of("jobscripts", "containers", "cospin.def"), flags=re.M)
        self.assertRegex(head, r"(?m)^Bootstrap: docker\nFrom: debian:12-slim$")
        sections = dict(part.split("\n", 1) for part in parts)
        self.assertEqual(set(sections), SECTIONS)
        for name in SECTIONS - {"files"}:
            self.assertEqual(shell_accepts(sections[name]).returncode, 0, name)

    @unittest.skipUnless(LONG and tool("apptainer", "--version"), "no apptainer here, or not a long test")
    def test_it_is_built_and_runs(self):
        image = os.path.join(os.environ.get("TMPDIR", "/tmp"), "cospin-test.sif")
        subprocess.run(["apptainer", "build", "--force", image, "jobscripts/containers/cospin.def"], check=True, cwd=SOURCE)
        self.assertIn(version(), subprocess.run(["apptainer", "run", image, "--version"], check=True, text=True, capture_output=True).stdout)


class Spack(unittest.TestCase):
    def test_recipe(self):
        text = text_of("jobscripts", "spack", "packages", "cospin", "package.py")
        recipe = next(node for node in ast.parse(text).body if isinstance(node, ast.ClassDef))
        self.assertEqual(recipe.name, "Cospin")
        self.assertIn(f'version("{version()}")', text)
        calls = [node for node in ast.walk(recipe) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "depends_on"]
        named = {re.split(r"[@+~]", node.args[0].value)[0] for node in calls if isinstance(node.args[0], ast.Constant)}
        self.assertGreaterEqual(named, {"cmake", "mpi", "hdf5", "petsc", "slepc", "libfyaml", "zlib-api"})
        for option in re.findall(r'self\.define\("(\w+)"', text):  # what CMakeLists.txt does not know would be ignored
            self.assertIn(option, text_of("CMakeLists.txt"))
        for name in re.findall(r'"(\w+)"', re.search(r"for package in \((.*?)\)", text).group(1)):
            self.assertIn(name.lower(), text_of("postprocess", "pyproject.toml").lower())

    @unittest.skipUnless(LONG and tool("spack", "--version"), "no spack here, or not a long test")
    def test_it_is_concretised(self):
        subprocess.run(["spack", "-C", os.path.join(JOBSCRIPTS, "spack"), "spec", "cospin"], check=True)


class Module(unittest.TestCase):
    def test_modulefile(self):
        text = text_of("jobscripts", "env", "modulefile")
        self.assertTrue(text.startswith("#%Module1.0\n"))
        self.assertIn(f"cospin {version()}", text)
        if not shutil.which("tclsh"):
            self.skipTest("no tclsh here")
        stubs = "".join(f"proc {name} {{args}} {{puts \"{name} [join $args]\"}}\n" for name in ("module-whatis", "conflict", "prepend-path", "setenv"))
        said = subprocess.run(["tclsh"], input=stubs + text, text=True, capture_output=True, check=False)
        self.assertEqual((said.returncode, said.stderr), (0, ""))
        self.assertIn("prepend-path PATH /opt/cospin/bin", said.stdout)
        self.assertIn("prepend-path PYTHONPATH /opt/cospin/share/cospin/postprocess", said.stdout)

    def test_the_package_of_python_has_the_version(self):
        self.assertIn(f'VERSION = "{version()}"', text_of("postprocess", "cospin", "version.py"))


if __name__ == "__main__":
    unittest.main()

"""One process of the program: what it says while it runs, and how it is asked to stop.

It has a session of its own, so that Ctrl-C in a terminal reaches this Python only, which passes it on as the program wants to
be asked: TERM, or USR1 under mpiexec, which would answer TERM by killing its ranks.
"""
import codecs
import os
import re
import signal
import subprocess
import sys
import tempfile


def _in_notebook():
    return "ipykernel" in sys.modules


def is_watched():
    """Whether somebody sees what is written to stderr: in a terminal or a notebook."""
    return sys.stderr.isatty() or _in_notebook()


class Process:
    """`words` is the command, `shown` whether its progress is, `launched` whether mpiexec stands in front.
    After wait(): status, interrupted, lines (of stderr, without progress) and output (of stdout)."""

    def __init__(self, words, shown=False, launched=False):
        self.words, self.shown, self.launched = words, shown, launched
        self.status, self.lines, self.output, self.asked = None, [], "", 0

    @property
    def interrupted(self):
        return self.asked > 0

    def wait(self):
        """Until the process is gone, however often it is interrupted. Returns itself."""
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(self.words, stdout=output, stderr=subprocess.PIPE, env=environment(self.launched),
                                       start_new_session=True)
            try:
                self._listen(process)
            except BaseException:
                process.kill()
                process.wait()
                raise
            finally:
                process.stderr.close()
            output.seek(0)
            self.output = output.read().decode("utf-8", "replace")
        return self

    def _listen(self, process):
        decoder, pending = codecs.getincrementaldecoder("utf-8")("replace"), ""
        while self.status is None:
            try:
                piece = os.read(process.stderr.fileno(), 4096)
                pending = self._take(pending + decoder.decode(piece))
                if not piece:
                    self.status = process.wait()
            except KeyboardInterrupt:
                self._ask_to_stop(process)
        if pending:
            self.lines.append(pending)
        if self.shown:
            self._show("\r\033[K")

    def _take(self, text):
        """Whole lines are kept, progress is shown; the rest waits for its end."""
        for bit in re.findall(r"\r[^\r\n]*\033\[K", text):
            if self.shown:
                self._show(bit)
        *whole, rest = re.sub(r"\r[^\r\n]*\033\[K", "", text).split("\n")
        self.lines += [line for line in (one.replace("\r", "").strip() for one in whole) if line]
        return rest

    def _show(self, text):
        sys.stderr.write(text.replace("\033[K", "   ") if _in_notebook() else text)
        sys.stderr.flush()

    def _ask_to_stop(self, process):
        """The first interrupt: finish what can be left soon and publish. The second: leave everything. Then kill."""
        self.asked += 1
        gentle = signal.SIGUSR1 if self.launched else signal.SIGTERM
        process.send_signal(gentle if self.asked == 1 else signal.SIGTERM if self.asked == 2 else signal.SIGKILL)
        if self.shown:
            self._show(f"\r{'asked to stop, storing what is finished' if self.asked == 1 else 'ending at once'}\033[K")


def environment(launched):
    """One thread a rank; two runs at a time are not bound to the same cores."""
    result = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMPI_MCA_hwloc_base_binding_policy": "none", **os.environ}
    if os.geteuid() == 0:
        result.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    if launched:
        result.pop("OMPI_MCA_ess_singleton_isolated", None)
    else:
        result.setdefault("OMPI_MCA_ess_singleton_isolated", "1")
    return result

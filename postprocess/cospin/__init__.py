"""cospin from Python: decks are run, datasets read, states and generators handed on.

    import cospin
    data = cospin.run("my.yaml", ranks=2, set={"N": 40})     # an xarray.Dataset; bad points are NaN
    data = cospin.open("my.h5")                              # the same of a run that is over, goes on or was stopped
    state = cospin.read_state("cats.h5", "steady", eta=0.5)  # a density matrix that a task has stored
    state.to_qutip()

    cospin.figure("my.h5", y="decay_rate", at={"N": 40})
    cospin.liouvillian("my.yaml")                            # of a small deck, as scipy's sparse matrix
    cospin.plan("my.yaml").sectors                           # checks a deck, solves nothing

Numbers come from the program `cospin`, which is looked for as `cospin.program.found_program` says.
"""
from .data import (Component, Damage, NotADataset, State, average, axes, bad_points, deck, merge, open_dataset,  # noqa: F401
                   provenance, read_state, stored_points, stored_tasks)
from .qutip_decks import from_qutip, initial_from_qutip  # noqa: F401
from .operators import Matrices, hamiltonian, jumps, liouvillian, matrices  # noqa: F401
from .program import BadPoints, DeckFaults, Fault, Plan, ProgramFailed, Stopped, Unfinished, plan, run  # noqa: F401
from .version import VERSION as __version__  # noqa: F401



def figure(files, **options):
    """A picture of datasets, as matplotlib's Figure: see cospin.plot.figure."""
    from .plot import figure as drawn
    return drawn(files, **options)


open = open_dataset  # pylint: disable=redefined-builtin

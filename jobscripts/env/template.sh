# A machine of your own: copy to jobscripts/env/NAME.sh, change, and submit with COSPIN_MACHINE=NAME. Sourced by the job
# scripts, with `set -euo pipefail` in force (modules often need `set +u` around them).
#
# set +u
# module purge
# module load gcc openmpi hdf5/parallel petsc/3.18-complex slepc/3.18-complex      # complex scalars, with MUMPS
# set -u
#
# How ranks are started. `srun --mpi=list` tells what the machine's SLURM knows; where srun and MPI do not go together,
# mpiexec of the MPI that cospin was built with does: it reads SLURM's environment by itself.
# COSPIN_LAUNCH=(srun --mpi=pmix)
# COSPIN_LAUNCH=(mpiexec -n "$SLURM_NTASKS")
#
# Where cospin is, if not in build/release of the folder that the job was submitted from:
# COSPIN=$HOME/cospin/build/release/cospin
echo "jobscripts/env/template.sh is a template: copy it and fill it in" >&2
exit 2

# Debian 12 with its own packages (jobscripts/setup.sh build): nothing to load. Sourced by the job scripts.
#
# srun starts Open MPI's ranks by PMIx (package libpmix-dev on the nodes; pmi2 is not built into Debian's Open MPI).
COSPIN_LAUNCH=(srun --mpi=pmix)

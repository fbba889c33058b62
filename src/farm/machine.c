/*
   How much memory a rank may take: COSPIN_MEMORY, else what SLURM has given to the job on this node, else
   what the machine has, divided by the ranks on the node (which may be told different numbers: the
   smallest counts), and never more than the address space that `ulimit -v` leaves. This is one of two
   files that ask the environment.

   SLURM tells it per node, or per CPU beside the CPUs of the job on this node, in MiB. A job that takes more
   is ended, although the machine has it.
*/
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include <cospin/farm/machine.h>
#include <cospin/operator/cost.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

double CospinMachineBytes(void)
{
  const char *node = getenv("SLURM_MEM_PER_NODE"), *cpu = getenv("SLURM_MEM_PER_CPU"); /* in MiB */
  const char *cpus = getenv("SLURM_CPUS_ON_NODE");
  const double physical = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  double limit = CospinCostBytes(getenv("COSPIN_MEMORY"));

  if (limit > 0) return limit;
  if (node) limit = 1048576.0 * atof(node);
  if (!node && cpu && cpus) limit = 1048576.0 * atof(cpu) * atof(cpus);
  return limit > 0 && limit < physical ? limit : physical;
}

/* What is left of the address space that the process may have; infinite without a limit. */
static double address_space(void)
{
  FILE *file = fopen("/proc/self/statm", "r");
  unsigned long pages = 0;
  struct rlimit limit;

  if (file && fscanf(file, "%lu", &pages) != 1) pages = 0;
  if (file) (void)fclose(file);
  if (getrlimit(RLIMIT_AS, &limit) || limit.rlim_cur == RLIM_INFINITY) return PETSC_INFINITY;
  return PetscMax(0.0, (double)limit.rlim_cur - (double)pages * (double)sysconf(_SC_PAGESIZE));
}

PetscErrorCode CospinMachineShare(MPI_Comm world, double *bytes)
{
  double whole = CospinMachineBytes();
  PetscMPIInt size;
  MPI_Comm node;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_split_type(world, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node));
  PetscCallMPI(MPI_Comm_size(node, &size));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &whole, 1, MPI_DOUBLE, MPI_MIN, node));
  PetscCallMPI(MPI_Comm_free(&node));
  *bytes = PetscMin(whole / size, address_space());
  PetscFunctionReturn(0);
}

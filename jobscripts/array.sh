#!/usr/bin/env bash
# Several decks, each an element of a job array of its own time and memory.
#
#   decks=(input/ions_*.yaml); sbatch --array=0-$((${#decks[@]} - 1)) jobscripts/array.sh "${decks[@]}"
#
# Each element is stopped, requeued and resumed by itself. Measured: the shipped decks of the ions take between a second
# and a minute on two ranks.
#SBATCH --job-name=cospin-array
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --mem-per-cpu=2G
#SBATCH --time=01:00:00
#SBATCH --signal=B:USR1@300
#SBATCH --requeue
#SBATCH --open-mode=append
set -euo pipefail

decks=("$@")
if [ "${SLURM_ARRAY_TASK_ID:?submit with --array=0-N}" -ge "${#decks[@]}" ]; then
  echo "array.sh: element $SLURM_ARRAY_TASK_ID of ${#decks[@]} decks (they are counted from 0)" >&2
  exit 2
fi
deck=${decks[$SLURM_ARRAY_TASK_ID]}
name=$(basename "$deck")
source "${COSPIN_ROOT:-$SLURM_SUBMIT_DIR}/jobscripts/job.sh"
run_deck "$deck" "runs/${name%.*}.h5"

#!/usr/bin/env bash
# A deck on one node: a rank per core, the grid dealt out over them.
#
#   sbatch jobscripts/one_node.sh input/ions_fig10b.yaml              -> runs/ions_fig10b.h5
#   sbatch --ntasks=32 --time=4:00:00 jobscripts/one_node.sh DECK [OPTION of cospin run...]
#
# The same command goes on with what is missing. Measured (2 cores, decks of input/): points of 124 ions take 0.1 s and
# 100 MB each, so a gigabyte a core is plenty; `cospin plan DECK --ranks N` tells for yours.
#SBATCH --job-name=cospin
#SBATCH --nodes=1
#SBATCH --ntasks=2
#SBATCH --cpus-per-task=1
#SBATCH --mem-per-cpu=1G
#SBATCH --time=01:00:00
#SBATCH --signal=B:USR1@300
#SBATCH --requeue
#SBATCH --open-mode=append
set -euo pipefail

deck=${1:?a deck is needed: sbatch jobscripts/one_node.sh DECK}
shift
name=$(basename "$deck")
source "${COSPIN_ROOT:-$SLURM_SUBMIT_DIR}/jobscripts/job.sh"
run_deck "$deck" "runs/${name%.*}.h5" "$@"

#!/usr/bin/env bash
# A large grid on many nodes: groups of a few ranks, each with points of its own, so that a group stays inside a node.
#
#   sbatch --nodes=8 --ntasks-per-node=32 jobscripts/many_groups.sh DECK
#   COSPIN_RANKS_PER_POINT=4 sbatch ... jobscripts/many_groups.sh DECK
#
# Measured: two ranks a point save 35 % of the time of a point of 1000 ions (7.5 s instead of 11.5 s), two groups of one
# rank save half of the time of a grid. So: as few ranks a point as its memory allows, one unless you say otherwise.
#SBATCH --job-name=cospin-grid
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=1
#SBATCH --mem-per-cpu=2G
#SBATCH --time=12:00:00
#SBATCH --signal=B:USR1@300
#SBATCH --requeue
#SBATCH --open-mode=append
set -euo pipefail

deck=${1:?a deck is needed: sbatch jobscripts/many_groups.sh DECK}
shift
name=$(basename "$deck")
source "${COSPIN_ROOT:-$SLURM_SUBMIT_DIR}/jobscripts/job.sh"
run_deck "$deck" "runs/${name%.*}.h5" --ranks-per-point "${COSPIN_RANKS_PER_POINT:-1}" "$@"

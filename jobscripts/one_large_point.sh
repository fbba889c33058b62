#!/usr/bin/env bash
# One large problem at a time on all ranks of many nodes: what does not fit into the memory of one.
#
#   sbatch --nodes=4 --ntasks-per-node=16 --mem=120G jobscripts/one_large_point.sh DECK
#
# Memory decides here: factors of a maser of 20 spins take 4.8 GB, of 30 spins about 50 GB. `cospin plan DECK` tells;
# ask for half as much again, since MUMPS shares factors out unevenly.
#SBATCH --job-name=cospin-large
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=1
#SBATCH --mem-per-cpu=4G
#SBATCH --time=12:00:00
#SBATCH --signal=B:USR1@600
#SBATCH --requeue
#SBATCH --open-mode=append
set -euo pipefail

deck=${1:?a deck is needed: sbatch jobscripts/one_large_point.sh DECK}
shift
name=$(basename "$deck")
source "${COSPIN_ROOT:-$SLURM_SUBMIT_DIR}/jobscripts/job.sh"
run_deck "$deck" "runs/${name%.*}.h5" --groups 1 "$@"

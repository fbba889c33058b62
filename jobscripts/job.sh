# What all job scripts share. Sourced inside of a SLURM job, which was submitted from the project's folder, or has COSPIN_ROOT.
#
#   COSPIN_ROOT=FOLDER     the project's folder, or share/cospin of what is installed (default: that of the submission)
#   COSPIN_MACHINE=NAME    reads jobscripts/env/NAME.sh (default: debian)
#   COSPIN=PROGRAM         default: build/release/cospin of the project, bin/cospin of what is installed, or the one in the PATH
#   COSPIN_MARGIN=SECONDS  how long before the job's end it stops taking points (default 300, half of a short job): more than a point takes
#   COSPIN_REQUEUES=N      how often a job that was stopped early may be put back into the queue (default 20)
root=${COSPIN_ROOT:-$SLURM_SUBMIT_DIR}
source "$root/jobscripts/env/${COSPIN_MACHINE:-debian}.sh"
for program in "$root/build/release/cospin" "$root/../../bin/cospin" cospin; do
  if [ -z "${COSPIN:-}" ] && command -v "$program" >/dev/null; then COSPIN=$program; fi
done
COSPIN=${COSPIN:-$root/build/release/cospin}

# One thread a rank: cospin's parallelism is its ranks, and threads on top of them slow all of them down.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

# `--stop-at T` from the job's end, which SLURM 22.05 tells by squeue only; nothing if it has none. A point that cannot be
# left (a factorisation) ends after four fifths of the margin: a job that runs into its limit is not requeued.
stop_option() {
  local end seconds left margin=${COSPIN_MARGIN:-300}
  end=$(squeue -h -j "$SLURM_JOB_ID" -o %e 2>/dev/null | head -1) || return 0
  seconds=$(date -d "$end" +%s 2>/dev/null) || return 0
  left=$((seconds - $(date +%s)))
  if [ $((2 * margin)) -gt "$left" ]; then margin=$((left / 2)); fi # a short job computes something too
  echo "--stop-at" "$((seconds - margin))" "--stop-within" "$((margin * 4 / 5 + 1))"
}

# Whether the job is on its way out although its time is not over: then somebody has cancelled it.
cancelled() {
  local state reason
  read -r state reason < <(squeue -h -j "$SLURM_JOB_ID" -o "%T %r" 2>/dev/null) || return 1
  [ "$state" = COMPLETING ] && [ "$reason" != TimeLimit ]
}

# Puts the job back into the queue, a bounded number of times.
requeue() {
  local job=$SLURM_JOB_ID
  if cancelled; then
    echo "job.sh: cancelled, so not requeued; submit it again to go on" >&2
    return 0
  fi
  if [ -n "${SLURM_ARRAY_JOB_ID:-}" ]; then job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID; fi
  if [ "${SLURM_RESTART_COUNT:-0}" -ge "${COSPIN_REQUEUES:-20}" ]; then
    echo "job.sh: stopped early after ${SLURM_RESTART_COUNT:-0} requeues, which are enough; submit it again to go on" >&2
    return 0
  fi
  echo "job.sh: stopped early, requeued (for the $((${SLURM_RESTART_COUNT:-0} + 1)). time)"
  scontrol requeue "$job"
}

# run_deck DECK DATASET [OPTION...]: cospin run on all ranks of the job. USR1 and TERM are passed on; status 75 requeues.
run_deck() {
  local deck=$1 dataset=$2 stop status=0 child
  shift 2
  read -ra stop <<<"$(stop_option)"
  mkdir -p "$(dirname "$dataset")"
  echo "job.sh: $deck on $SLURM_NTASKS ranks, $SLURM_JOB_NUM_NODES node(s), job $SLURM_JOB_ID"
  "${COSPIN_LAUNCH[@]}" "$COSPIN" run "$deck" -o "$dataset" "${stop[@]}" "$@" &
  child=$!
  trap 'kill -USR1 "$child" 2>/dev/null || true' USR1 TERM
  # a signal ends `wait` early: wait until the child is gone
  while wait "$child" && status=0 || status=$?; kill -0 "$child" 2>/dev/null; do :; done
  trap - USR1 TERM
  if [ "$status" -eq 75 ]; then requeue; fi
  return "$status"
}

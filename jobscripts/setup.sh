#!/usr/bin/env bash
# Installs the Debian packages that cospin needs and that are missing; nothing else is touched.
#
#   bash jobscripts/setup.sh [GROUP...]     groups: build test plot python notebook benchmark (default: build)
#
# python: what `import cospin` needs, and the package itself, for your own /usr/bin/python3 (pip install --user).
# notebook: with which the tests run notebooks in Jupyter, not as scripts only.
# Packages of plot, python and notebook that cannot be installed are told and not missed: the program is built without them.
# Runs as root or with sudo. On a machine without apt it says what is needed and leaves the rest to you.
# PETSC_DIR set:         MPI, HDF5, PETSc and SLEPc are yours and are not installed.
# COSPIN_INDEX_BITS=64:  installs the builds of PETSc and SLEPc with 64-bit indices.
# COSPIN_SETUP=skip:     does nothing at all.
set -euo pipefail

packages_of() {
  local bits=""
  if [ "${COSPIN_INDEX_BITS:-}" = 64 ]; then bits=64; fi
  case $1 in
    build)
      echo ca-certificates git cmake make gcc libc6-dev pkg-config libfyaml-dev zlib1g-dev libcmocka-dev
      if [ -z "${PETSC_DIR:-}" ]; then
        # openssh-client: mpiexec of Open MPI 4 does not start without an ssh in the PATH
        echo openmpi-bin libopenmpi-dev openssh-client libhdf5-openmpi-dev
        echo "libpetsc$bits-complex-dev libslepc$bits-complex-dev libopenblas0-serial"
      fi ;;
    plot) echo python3 python3-numpy python3-yaml python3-h5py python3-xarray python3-h5netcdf python3-matplotlib ;;
    test) echo python3 python3-scipy python3-mpmath python3-h5py python3-xarray python3-h5netcdf python3-matplotlib python3-numpy python3-yaml python3-qutip hdf5-tools clang-format valgrind
      # fuzzing: libFuzzer and the sanitizers
      echo clang libclang-rt-dev
      # a private SLURM for the job scripts; libpmix-dev lets its srun start Open MPI
      echo slurm-wlm munge libpmix-dev procps ;;
    python)
      packages_of plot
      echo python3-pip python3-setuptools python3-wheel python3-scipy ;;
    notebook) echo python3-nbconvert python3-ipykernel ;;
    benchmark) echo python3 python3-numpy python3-scipy python3-qutip ;;
    *) echo "setup.sh: unknown group '$1' (build, test, plot, python, notebook, benchmark)" >&2; return 2 ;;
  esac
}

is_installed() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Whether nothing is missing that another group than plot, python and notebook asks for.
only_pictures() {
  local group package packages
  for group in "$@"; do
    case $group in plot | python | notebook) continue ;; esac
    packages=$(packages_of "$group")
    for package in $packages; do
      if ! is_installed "$package"; then return 1; fi
    done
  done
}

# The package, from a copy, so that nothing is left in the source tree. What is Debian's own is not touched: --user.
install_module() {
  local copy root status=0
  root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
  copy=$(mktemp -d)
  cp -R "$root/postprocess" "$copy"
  printf '"""Where the program is that this package was installed with."""\nPROGRAM = "%s"\n' "$root/build/release/cospin" \
    >"$copy/postprocess/cospin/built.py"
  /usr/bin/python3 -m pip install --user --break-system-packages --no-build-isolation --no-index --no-deps --quiet \
    --disable-pip-version-check --root-user-action=ignore --no-warn-script-location "$copy/postprocess" || status=$?
  rm -rf "$copy"
  return "$status"
}

main() {
  local group packages wanted="" missing=() package as_root=()
  if [ "${COSPIN_SETUP:-}" = skip ]; then return 0; fi
  for group in "${@:-build}"; do
    packages=$(packages_of "$group")
    wanted+=" $packages"
  done
  wanted=$(tr -s ' \n' '\n' <<<"$wanted" | sort -u | xargs)

  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "setup.sh: this is not a Debian system, so nothing was installed. Under Debian's names cospin needs: $wanted" >&2
    return 0
  fi
  for package in $wanted; do
    if ! is_installed "$package"; then missing+=("$package"); fi
  done
  if [ ${#missing[@]} -eq 0 ]; then return 0; fi

  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      if only_pictures "${@:-build}"; then
        echo "setup.sh: without these packages there are no pictures (root can install them): ${missing[*]}" >&2
        return 0
      fi
      echo "setup.sh: these packages are missing and can be installed by root only (no sudo here): ${missing[*]}" >&2
      echo "setup.sh: ask for them, or set PETSC_DIR for libraries of your own, or COSPIN_SETUP=skip to try without." >&2
      return 1
    fi
    as_root=(sudo)
  fi
  echo "setup.sh: installing from Debian, with what they depend on: ${missing[*]}"
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}

main "$@"
case " $* " in *" python "*)
  if [ "${COSPIN_SETUP:-}" != skip ]; then install_module; fi ;;
esac

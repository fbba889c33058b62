# Spack's recipe, in a repository of its own:
#
#   spack repo add jobscripts/spack && spack install cospin
#
# What is given here is what CMakeLists.txt asks for: complex scalars, MUMPS, a parallel HDF5 that is also PETSc's.
from spack.package import *


class Cospin(CMakePackage):
    """Steady states, spectral gaps, decay rates, evolutions and emitted light of collective spins in open systems, from a text deck."""

    # there is no download: the recipe builds the tree that it stands in (`spack dev-build cospin@0.2.0`), or a clone of yours
    # (`spack develop --path FOLDER cospin@0.2.0`)
    license("BSD-2-Clause")
    version("0.2.0")

    variant("python", default=True, description="The package of Python, which reads datasets and draws them")

    depends_on("c", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("mpi")
    depends_on("hdf5+mpi+hl")
    depends_on("petsc@3.18:+complex+mpi+mumps~int64+double+hdf5")
    depends_on("slepc@3.18:")
    depends_on("libfyaml@0.7.12:")
    depends_on("zlib-api")
    with when("+python"):
        depends_on("python@3.9:", type=("build", "run"))
        for package in ("numpy", "scipy", "pyyaml", "h5py", "xarray", "h5netcdf", "matplotlib"):
            depends_on("py-" + package, type="run")

    def cmake_args(self):
        args = [
            self.define("BUILD_TESTING", False),
            self.define("PETSC_DIR", self.spec["petsc"].prefix),
            self.define("SLEPC_DIR", self.spec["slepc"].prefix),
            self.define("HDF5_ROOT", self.spec["hdf5"].prefix),
        ]
        if self.spec.satisfies("+python"):
            args.append(self.define("COSPIN_PYTHON", self.spec["python"].command.path))
        return args

    def setup_run_environment(self, env):
        env.set("OMP_NUM_THREADS", "1")
        env.prepend_path("PYTHONPATH", self.prefix.share.cospin.postprocess)

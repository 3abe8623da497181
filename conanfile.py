"""The Conan 2 recipe of whorl: `conan create . --build=missing` makes the package and runs test_package with it."""

import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load, rmdir


class WhorlRecipe(ConanFile):
    name = "whorl"
    package_type = "library"
    description = "A prover and verifier for SWIRL, byte-compatible with OpenVM's stark-backend v2"
    license = "MIT OR Apache-2.0"
    topics = ("cryptography", "proof-system", "stark")
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "fPIC": [True, False], "prover": [True, False], "sim": [True, False]}
    default_options = {"shared": False, "fPIC": True, "prover": True, "sim": False, "boost/*:without_context": False}
    implements = ["auto_shared_fpic"]
    # The file that names the version is exported with the recipe, which reads it.
    exports = "include/whorl/version.hpp"
    exports_sources = "CMakeLists.txt", "cmake/*", "include/*", "src/*", "LICENSE-*"

    def set_version(self):
        text = load(self, os.path.join(self.recipe_folder, "include", "whorl", "version.hpp"))
        self.version = re.search(r'#define WHORL_VERSION "([0-9.]+)"', text).group(1)

    def requirements(self):
        self.requires("fmt/[>=9.1 <12]")
        self.requires("highway/[>=1.0.3 <2]")
        if self.options.prover:
            if self.options.sim:
                self.requires("boost/[>=1.74 <2]")
            self.requires("onetbb/[>=2021.7 <2023]")
            self.requires("nlohmann_json/[>=3.11 <4]", visible=False)

    def validate(self):
        check_min_cppstd(self, 20)

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["WHORL_PROVER"] = bool(self.options.prover)
        toolchain.cache_variables["WHORL_SIM"] = bool(self.options.prover and self.options.sim)
        for option in ("WHORL_TESTS", "WHORL_EXAMPLES", "WHORL_BENCH", "WHORL_CLI", "WHORL_DOCTOR", "WHORL_CUDA"):
            toolchain.cache_variables[option] = "OFF"
        toolchain.generate()
        dependencies = CMakeDeps(self)
        # The names that Highway's own CMake files have, which whorl looks for.
        dependencies.set_property("highway", "cmake_file_name", "hwy")
        dependencies.set_property("highway::hwy", "cmake_target_name", "hwy::hwy")
        dependencies.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        cmake = CMake(self)
        cmake.install()
        copy(self, "LICENSE-*", self.source_folder, os.path.join(self.package_folder, "licenses"))
        # Conan writes these for its own packages.
        for folder in ("cmake", "pkgconfig"):
            rmdir(self, os.path.join(self.package_folder, "lib", folder))
        rmdir(self, os.path.join(self.package_folder, "share"))

    def package_info(self):
        verifier = self.cpp_info.components["verifier"]
        verifier.libs = ["whorl_verifier"]
        verifier.requires = ["fmt::fmt", "highway::hwy"]
        if self.settings.os in ("Linux", "FreeBSD"):
            verifier.system_libs = ["pthread"]
        verifier.set_property("cmake_target_name", "whorl::verifier")
        verifier.set_property("pkg_config_name", "whorl-verifier")
        if not self.options.prover:
            return
        prover = self.cpp_info.components["prover"]
        prover.libs = ["whorl"]
        prover.requires = ["verifier", "fmt::fmt", "highway::hwy", "onetbb::libtbb"]
        if self.options.sim:
            prover.requires.append("boost::context")
        if self.settings.os in ("Linux", "FreeBSD"):
            prover.system_libs = ["dl", "pthread"]
        prover.set_property("cmake_target_name", "whorl::prover")
        # find_package(COMPONENTS prover) looks for a target of that name; users link whorl::whorl, as without Conan.
        prover.set_property("cmake_target_aliases", ["whorl::whorl"])
        prover.set_property("pkg_config_name", "whorl")
        self.cpp_info.set_property("cmake_target_name", "whorl::all")

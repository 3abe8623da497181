//! Builds whorl's C++ library from the repository two folders up, or finds it where WHORL_LIB_DIR says, and links it.
//!
//! WHORL_LIB_DIR   the folder of a built libwhorl and its whorl.pc: a build folder, or the library folder of an installation
//! WHORL_CUDA      ON: build for CUDA too (ON with feature cuda, else OFF)
//! CMAKE           the CMake to build with (cmake)

use std::{
    env,
    error::Error,
    path::{Path, PathBuf},
    process::Command,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What this script builds from, relative to the repository. Cargo looks at all files in the folders.
const SOURCES: [&str; 4] = ["CMakeLists.txt", "cmake", "include", "src"];
const OWN_LIBRARIES: [&str; 2] = ["whorl", "whorl_verifier"];

fn main() -> Result<()> {
    for name in ["WHORL_LIB_DIR", "WHORL_CUDA", "CMAKE"] {
        println!("cargo:rerun-if-env-changed={name}");
    }
    match env::var_os("WHORL_LIB_DIR") {
        Some(folder) => {
            let folder = std::path::absolute(PathBuf::from(folder))?;
            for library in OWN_LIBRARIES {
                println!("cargo:rerun-if-changed={}", folder.join(format!("lib{library}.a")).display());
            }
            link(&folder)
        }
        None => link(&build()?),
    }
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| format!("{command:?} does not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}

/// Builds and installs whorl below OUT_DIR; the folder of the libraries.
fn build() -> Result<PathBuf> {
    let repository = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
    for source in SOURCES {
        println!("cargo:rerun-if-changed={}", repository.join(source).display());
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let (folder, prefix) = (out.join("whorl-build"), out.join("whorl"));
    let cmake = env::var_os("CMAKE").unwrap_or_else(|| "cmake".into());
    let mut configure = Command::new(&cmake);
    configure.arg("-S").arg(&repository).arg("-B").arg(&folder).args([
        "-DCMAKE_BUILD_TYPE=Release",
        // The crate may become part of a shared library.
        "-DCMAKE_POSITION_INDEPENDENT_CODE=ON",
        "-DCMAKE_INSTALL_LIBDIR=lib",
        "-DBUILD_SHARED_LIBS=OFF",
        "-DWHORL_SIM=ON",
        "-DWHORL_CLI=OFF",
        "-DWHORL_DOCTOR=OFF",
        "-DWHORL_TESTS=OFF",
        "-DWHORL_EXAMPLES=OFF",
        "-DWHORL_BENCH=OFF",
    ]);
    configure.arg(format!("-DCMAKE_INSTALL_PREFIX={}", prefix.display()));
    let default_cuda = if env::var_os("CARGO_FEATURE_CUDA").is_some() { "ON" } else { "OFF" };
    configure.arg(format!("-DWHORL_CUDA={}", env::var("WHORL_CUDA").unwrap_or_else(|_| default_cuda.into())));
    run(&mut configure)?;
    let jobs = env::var("NUM_JOBS").unwrap_or_else(|_| "1".into());
    run(Command::new(&cmake).arg("--build").arg(&folder).args(["--target", "install", "--parallel", &jobs]))?;
    Ok(prefix.join("lib"))
}

/// Names what the libraries in `folder` are linked with, by their pkg-config files: these lie beside them in a build folder, and in
/// pkgconfig/ of an installation.
fn link(folder: &Path) -> Result<()> {
    let mut search = vec![folder.to_path_buf(), folder.join("pkgconfig")];
    if let Some(path) = env::var_os("PKG_CONFIG_PATH") {
        search.extend(env::split_paths(&path));
    }
    let mut pkg_config = Command::new("pkg-config");
    pkg_config.args(["--static", "--libs", "whorl"]).env("PKG_CONFIG_PATH", env::join_paths(search)?);
    let output = pkg_config.output().map_err(|error| format!("{pkg_config:?} does not start: {error}"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(format!("no whorl.pc for the libraries in {}: {}", folder.display(), text.trim()).into());
    }
    let flags = String::from_utf8(output.stdout)?;
    println!("cargo:rustc-link-search=native={}", folder.display());
    let mut words = flags.split_whitespace();
    while let Some(word) = words.next() {
        if word == "-framework" {
            let name = words.next().ok_or("-framework without a name in whorl.pc")?;
            println!("cargo:rustc-link-lib=framework={name}");
        } else if let Some(path) = word.strip_prefix("-L") {
            println!("cargo:rustc-link-search=native={path}");
        } else if let Some(name) = word.strip_prefix("-l") {
            // openvm-cuda-common links the shared runtime; one process has one.
            let name =
                if name == "cudart_static" && env::var_os("CARGO_FEATURE_CUDA").is_some() { "cudart" } else { name };
            let is_static = OWN_LIBRARIES.contains(&name) && folder.join(format!("lib{name}.a")).exists();
            println!("cargo:rustc-link-lib={}{name}", if is_static { "static=" } else { "" });
        } else if word == "-pthread" {
            println!("cargo:rustc-link-lib=pthread");
        } else {
            return Err(format!("the flag {word} of pkg-config is none that this script knows").into());
        }
    }
    Ok(())
}

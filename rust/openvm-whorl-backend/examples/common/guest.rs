//! Compiles the guest programs of examples/guest.

use std::{env, fs, io, path::Path, process, process::Command};

/// The ELF file of `examples/guest/NAME.c`. Needs the compiler of Debian's package gcc-riscv64-unknown-elf.
pub fn compile(name: &str) -> io::Result<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/guest");
    let elf = env::temp_dir().join(format!("whorl-{name}-{}.elf", process::id()));
    let mut options = std::ffi::OsString::from("@");
    options.push(folder.join("gcc.options"));
    let mut gcc = Command::new("riscv64-unknown-elf-gcc");
    gcc.arg(options).arg("-T").arg(folder.join("guest.ld")).arg(folder.join(format!("{name}.c"))).arg("-o").arg(&elf);
    let status = gcc.status().map_err(|error| {
        io::Error::new(error.kind(), format!("riscv64-unknown-elf-gcc (package gcc-riscv64-unknown-elf): {error}"))
    })?;
    if !status.success() {
        return Err(io::Error::other(format!("{name}.c: {status}")));
    }
    let bytes = fs::read(&elf)?;
    fs::remove_file(&elf)?;
    Ok(bytes)
}

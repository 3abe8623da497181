//! src/ffi.rs, written by hand, against the C header.

use std::{collections::BTreeMap, fs, path::Path};

use openvm_whorl_backend::ffi;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// `text` without what stands between `open` and `close`.
fn without(text: &str, open: &str, close: &str) -> String {
    let mut rest = text;
    let mut kept = String::new();
    while let Some((before, after)) = rest.split_once(open) {
        kept.push_str(before);
        rest = after.split_once(close).expect("what is opened is closed").1;
    }
    kept + rest
}

/// Names of the functions in `text`, each after `prefix`, with the number of arguments.
fn functions(text: &str, prefix: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for (at, _) in text.match_indices(prefix) {
        let rest = &text[at + prefix.len() - "whorl_".len()..];
        let Some((name, after)) = rest.split_once('(') else { continue };
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            continue;
        }
        let arguments = after.split_once(')').expect("arguments end").0.trim();
        let count = arguments.split(',').filter(|argument| !matches!(argument.trim(), "" | "void")).count();
        found.insert(name.to_string(), count);
    }
    found
}

#[test]
fn every_call_of_the_header_is_bound_with_its_arguments() {
    let header = without(&read("../../include/whorl/whorl.h"), "/*", "*/");
    let header = functions(&header, "whorl_");
    let bound = functions(&read("src/ffi.rs"), "pub fn whorl_");
    assert!(header.len() > 60, "found only {} calls in the header", header.len());
    assert_eq!(header, bound);
}

#[test]
fn codes_are_those_of_the_header() {
    let header = read("../../include/whorl/whorl.h");
    for (name, value) in [
        ("WHORL_OK", ffi::WHORL_OK),
        ("WHORL_INVALID_ARGUMENT", ffi::WHORL_INVALID_ARGUMENT),
        ("WHORL_BAD_FORMAT", ffi::WHORL_BAD_FORMAT),
        ("WHORL_IO", ffi::WHORL_IO),
        ("WHORL_UNSATISFIED", ffi::WHORL_UNSATISFIED),
        ("WHORL_MACHINE", ffi::WHORL_MACHINE),
        ("WHORL_INTERNAL", ffi::WHORL_INTERNAL),
        ("WHORL_CANCELLED", ffi::WHORL_CANCELLED),
        ("WHORL_REJECTED", ffi::WHORL_REJECTED),
        ("WHORL_CANONICAL", ffi::WHORL_CANONICAL),
        ("WHORL_MONTGOMERY", ffi::WHORL_MONTGOMERY),
    ] {
        let found = [",", " ", "\n"].iter().any(|end| header.contains(&format!("{name} = {value}{end}")));
        assert!(found, "{name} = {value}");
    }
    assert!(header.contains(&format!("#define WHORL_ABI_VERSION {}\n", ffi::WHORL_ABI_VERSION)));
    // SAFETY: the call takes nothing.
    assert!(unsafe { ffi::whorl_abi_version() } >= ffi::WHORL_ABI_VERSION);
}

/// Structs are laid out as C lays them out: what whorl writes is read back by name.
#[test]
fn structs_are_laid_out_as_in_the_header() {
    let mut params = std::ptr::null_mut();
    let mut info = ffi::whorl_params_info { struct_size: size_of::<ffi::whorl_params_info>(), ..Default::default() };
    let mut again = info;
    let mut num_queries = [0; 16];
    // SAFETY: all places are valid, and what is made is freed.
    unsafe {
        assert_eq!(ffi::whorl_params_preset(c"app".as_ptr(), 20, &mut params, std::ptr::null_mut()), ffi::WHORL_OK);
        let read = |params, info: *mut _, queries: &mut [u32]| {
            ffi::whorl_params_read(params, info, queries.as_mut_ptr(), queries.len(), std::ptr::null_mut())
        };
        assert_eq!(read(params, &mut info, &mut num_queries), ffi::WHORL_OK);
        let mut copy = std::ptr::null_mut();
        assert_eq!(ffi::whorl_params_new(&info, num_queries.as_ptr(), &mut copy, std::ptr::null_mut()), ffi::WHORL_OK);
        assert_eq!(ffi::whorl_params_equal(params, copy), 1);
        assert_eq!(read(copy, &mut again, &mut num_queries), ffi::WHORL_OK);
        ffi::whorl_params_free(params);
        ffi::whorl_params_free(copy);
    }
    // The published preset of that height, field by field.
    let published = openvm_stark_sdk::config::app_params_with_100_bits_security(20);
    assert_eq!(info.l_skip as usize, published.l_skip);
    assert_eq!(info.n_stack as usize, published.n_stack);
    assert_eq!(info.w_stack as usize, published.w_stack);
    assert_eq!(info.log_blowup as usize, published.log_blowup);
    assert_eq!(info.whir_k as usize, published.whir.k);
    assert_eq!(info.num_whir_rounds as usize, published.whir.rounds.len());
    assert_eq!(info.mu_pow_bits as usize, published.whir.mu_pow_bits);
    assert_eq!(info.query_phase_pow_bits as usize, published.whir.query_phase_pow_bits);
    assert_eq!(info.folding_pow_bits as usize, published.whir.folding_pow_bits);
    assert_eq!(info.logup_pow_bits as usize, published.logup.pow_bits);
    assert_eq!(info.max_interaction_count, published.logup.max_interaction_count);
    assert_eq!(info.log_max_message_length, published.logup.log_max_message_length);
    assert_eq!(info.max_constraint_degree as usize, published.max_constraint_degree);
    assert_eq!(again.w_stack, info.w_stack);
}

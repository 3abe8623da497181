//! Permutes packed states for half a second on one thread and prints permutations per second of processor time.

use std::hint::black_box;

use p3_baby_bear::{BabyBear, default_babybear_poseidon2_16};
use p3_field::{Field, PackedValue, PrimeCharacteristicRing};
use p3_symmetric::Permutation;

type Packed = <BabyBear as Field>::Packing;

fn processor_seconds() -> f64 {
    // In nanoseconds, where clock ticks are hundredths of a second.
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    text.split_whitespace().next().expect("a time").parse::<f64>().expect("nanoseconds") / 1e9
}

fn main() {
    let permutation = default_babybear_poseidon2_16();
    // As many states as the C++ benchmark permutes in one call: they stay in the first cache.
    let mut states: Vec<[Packed; 16]> = (0..256 / Packed::WIDTH)
        .map(|s| {
            std::array::from_fn(|w| Packed::from_fn(|lane| BabyBear::from_usize(16 * (s * Packed::WIDTH + lane) + w)))
        })
        .collect();
    let mut permuted = 0;
    let start = processor_seconds();
    let seconds = loop {
        for _ in 0..200 {
            for state in &mut states {
                permutation.permute_mut(state);
            }
            black_box(&mut states);
        }
        permuted += 200 * 256;
        let seconds = processor_seconds() - start;
        if seconds > 0.5 {
            break seconds;
        }
    };
    println!("{{\"lanes\": {}, \"permutations_per_s\": {:.0}}}", Packed::WIDTH, permuted as f64 / seconds);
}

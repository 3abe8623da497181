//! Which values a case draws from: the middle of what whorl accepts, or its edges.

use openvm_stark_backend::{
    SystemParams, WhirConfig, WhirProximityStrategy, WhirRoundConfig, interaction::LogUpSecurityParameters,
    p3_field::PrimeField32,
};
use openvm_stark_sdk::config::baby_bear_poseidon2::F;
use rand::{Rng, rngs::StdRng};

// The limits of whorl's check_params (include/whorl/params.hpp, ParamLimits).
const MAX_L_SKIP: usize = 10;
const MAX_LOG_BLOWUP: usize = 8;
const MAX_K: usize = 10;
/// Of the stacked height and the blowup together: the field allows 27, the time for a case less.
const MAX_LOG_CODEWORD: usize = 14;
/// Cells that the tables of LogUp may take, so that a case stays quick.
const MAX_LOG_HEIGHT_AT_EDGES: usize = 10;

/// The choices of a case that its AIRs, its traces and its parameters share.
pub struct Plan {
    pub is_at_edges: bool,
    pub l_skip: usize,
    pub max_log_height: usize,
    /// The limit of the key; each AIR has one of its own below it.
    pub degree: usize,
    pub log_max_message_length: usize,
    pub buses: Vec<u16>,
    pub num_airs: usize,
}

impl Plan {
    pub fn draw(rng: &mut StdRng) -> Plan {
        if rng.random_bool(0.5) { Plan::at_edges(rng) } else { Plan::in_the_middle(rng) }
    }

    pub fn in_the_middle(rng: &mut StdRng) -> Plan {
        Plan {
            is_at_edges: false,
            l_skip: rng.random_range(2..6),
            max_log_height: 7,
            degree: rng.random_range(2..6),
            log_max_message_length: rng.random_range(2..8),
            buses: vec![0, 1, 2, 5, 300, u16::MAX],
            num_airs: rng.random_range(1..5),
        }
    }

    fn at_edges(rng: &mut StdRng) -> Plan {
        let l_skip = rng.random_range(0..=MAX_L_SKIP);
        // Below, at and above the skip domain.
        let max_log_height = match rng.random_range(0..4) {
            0 => 0,
            1 => l_skip,
            _ => rng.random_range(0..=MAX_LOG_HEIGHT_AT_EDGES),
        };
        Plan {
            is_at_edges: true,
            l_skip,
            max_log_height: max_log_height.min(MAX_LOG_HEIGHT_AT_EDGES),
            degree: match rng.random_range(0..4) {
                0 => 1,
                1 => rng.random_range(8..17),
                _ => rng.random_range(2..9),
            },
            log_max_message_length: rng.random_range(1..8),
            buses: vec![0, 1, 255, 256, 32767, 32768, u16::MAX - 1, u16::MAX],
            num_airs: match rng.random_range(0..6) {
                0 => 1,
                1 => rng.random_range(8..17),
                _ => rng.random_range(1..5),
            },
        }
    }

    pub fn max_message_length(&self) -> usize {
        (1 << self.log_max_message_length) - 1
    }

    pub fn draw_log_height(&self, rng: &mut StdRng) -> usize {
        if self.is_at_edges {
            match rng.random_range(0..4) {
                0 => self.max_log_height,
                1 => 0,
                _ => rng.random_range(0..=self.max_log_height),
            }
        } else if rng.random_bool(0.25) {
            rng.random_range(0..3)
        } else {
            rng.random_range(0..=self.max_log_height)
        }
    }

    /// Parameters for traces of at most 2^`tallest` rows.
    pub fn draw_params(&self, rng: &mut StdRng, tallest: usize) -> SystemParams {
        let l_skip = self.l_skip;
        let least = tallest.max(l_skip).max(1);
        // At the edges mostly the tallest trace fills a stacked column exactly.
        let log_stacked_height =
            least + if self.is_at_edges { [0, 0, 1, 2][rng.random_range(0..4)] } else { rng.random_range(0..3) };
        let (k, num_rounds, log_blowup) = if self.is_at_edges {
            let k = rng.random_range(1..=log_stacked_height.min(MAX_K));
            let most = log_stacked_height / k;
            let rounds = if rng.random_bool(0.5) { most } else { rng.random_range(1..=most) };
            let room = MAX_LOG_CODEWORD.saturating_sub(log_stacked_height).clamp(1, MAX_LOG_BLOWUP);
            (k, rounds, rng.random_range(0..=room))
        } else {
            let k = rng.random_range(1..5usize).min(log_stacked_height);
            (k, rng.random_range(1..=(log_stacked_height / k).min(4)), rng.random_range(1..4))
        };
        let has_many_queries = self.is_at_edges && rng.random_bool(0.1);
        let draw_pow_bits = |rng: &mut StdRng| {
            if self.is_at_edges && rng.random_bool(0.1) { rng.random_range(4..11) } else { rng.random_range(0..4) }
        };
        SystemParams {
            l_skip,
            n_stack: log_stacked_height - l_skip,
            w_stack: rng.random_range(1024..8192),
            log_blowup,
            whir: WhirConfig {
                k,
                // Counts of any size keep the protocol complete; soundness is not at stake here.
                rounds: (0..num_rounds)
                    .map(|_| rng.random_range(1..if has_many_queries { 60 } else { 8 }))
                    .map(|num_queries| WhirRoundConfig { num_queries })
                    .collect(),
                mu_pow_bits: draw_pow_bits(rng),
                query_phase_pow_bits: draw_pow_bits(rng),
                folding_pow_bits: draw_pow_bits(rng),
                proximity: draw_proximity(rng),
            },
            logup: LogUpSecurityParameters {
                max_interaction_count: [1 << 20, 1 << 30, F::ORDER_U32][rng.random_range(0..3)],
                log_max_message_length: self.log_max_message_length as u32,
                pow_bits: draw_pow_bits(rng),
            },
            max_constraint_degree: self.degree,
        }
    }
}

fn draw_proximity(rng: &mut StdRng) -> WhirProximityStrategy {
    match rng.random_range(0..3) {
        0 => WhirProximityStrategy::UniqueDecoding,
        1 => WhirProximityStrategy::SplitUniqueList {
            m: rng.random_range(1..5),
            list_start_round: rng.random_range(0..3),
        },
        _ => WhirProximityStrategy::ListDecoding { m: rng.random_range(1..5) },
    }
}

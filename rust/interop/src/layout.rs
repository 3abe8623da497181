//! Where the field elements and the lengths of an encoded proof lie (PROTOCOL.md section 16).
//!
//! The walk trusts its input: it is given proofs that the published codec has just decoded.

/// A number of the encoding that is no field element.
pub struct Header {
    pub offset: usize,
    pub size: usize,
    pub field: &'static str,
}

#[derive(Default)]
pub struct Layout {
    /// Byte offsets of all field elements, ascending.
    pub elements: Vec<usize>,
    pub headers: Vec<Header>,
}

struct Walker<'a> {
    bytes: &'a [u8],
    at: usize,
    layout: Layout,
}

impl Walker<'_> {
    fn base(&mut self, count: usize) {
        for _ in 0..count {
            self.layout.elements.push(self.at);
            self.at += 4;
        }
    }

    fn ext(&mut self, count: usize) {
        self.base(4 * count);
    }

    fn digests(&mut self, count: usize) {
        self.base(8 * count);
    }

    fn number(&mut self, field: &'static str) -> usize {
        self.layout.headers.push(Header { offset: self.at, size: 4, field });
        let word = self.bytes[self.at..self.at + 4].try_into().unwrap();
        self.at += 4;
        u32::from_le_bytes(word) as usize
    }

    fn byte(&mut self, field: &'static str) -> u8 {
        self.layout.headers.push(Header { offset: self.at, size: 1, field });
        self.at += 1;
        self.bytes[self.at - 1]
    }

    fn ext_vec(&mut self, field: &'static str) {
        let count = self.number(field);
        self.ext(count);
    }

    fn preamble(&mut self) {
        self.number("codec_version");
        self.digests(1);
        let num_airs = self.number("num_airs");
        let bitmap: Vec<u8> = (0..num_airs.div_ceil(8)).map(|_| self.byte("air_bitmap")).collect();
        for air in 0..num_airs {
            if bitmap[air / 8] >> (air % 8) & 1 == 1 {
                self.number("log_height");
                let count = self.number("cached_commitments.len");
                self.digests(count);
            }
        }
        for _ in 0..self.number("public_values.len") {
            let count = self.number("public_values[air].len");
            self.base(count);
        }
    }

    fn gkr(&mut self) {
        self.base(1);
        self.ext(1);
        let layers = self.number("claims_per_layer.len");
        self.ext(4 * layers);
        self.ext((1..layers).map(|layer| 3 * layer).sum());
    }

    fn batch_constraints(&mut self) {
        let traces = self.number("numerator_terms.len");
        self.ext(2 * traces);
        self.ext_vec("batch.univariate_round_coeffs.len");
        let rounds = self.number("n_max");
        if rounds > 0 {
            let values = self.number("values_per_round");
            self.ext(rounds * values);
        }
        for _ in 0..traces {
            for _ in 0..self.number("column_openings[trace].len") {
                self.ext_vec("column_openings[trace][part].len");
            }
        }
    }

    fn stacking(&mut self) {
        self.ext_vec("stacking.univariate_round_coeffs.len");
        let rounds = self.number("stacking.sumcheck_round_polys.len");
        self.ext(2 * rounds);
        for _ in 0..self.number("stacking_openings.len") {
            self.ext_vec("stacking_openings[commit].len");
        }
    }

    fn whir(&mut self) {
        self.base(1);
        let sumcheck_rounds = self.number("whir_sumcheck_polys.len");
        self.ext(2 * sumcheck_rounds);
        let folded_codewords = self.number("codeword_commits.len");
        self.digests(folded_codewords);
        let rounds = folded_codewords + 1;
        let leaf_rows = 1 << (sumcheck_rounds / rounds);
        self.ext(rounds - 1);
        self.base(sumcheck_rounds + rounds);

        let commits = self.number("num_commits");
        let queries = self.number("initial_num_queries");
        if queries > 0 {
            let depth = self.number("initial_merkle_depth");
            let width: usize = (0..commits).map(|_| self.number("stacked_width[commit]")).sum();
            self.base(queries * leaf_rows * width);
            self.digests(commits * queries * depth);
        }
        let queries: Vec<usize> = (1..rounds)
            .map(|_| {
                let count = self.number("num_queries[round]");
                self.ext(count * leaf_rows);
                count
            })
            .collect();
        let depth = self.number("first_codeword_merkle_depth");
        for (round, count) in queries.into_iter().enumerate() {
            self.digests(count * (depth - round));
        }
        self.ext_vec("final_poly.len");
    }
}

/// Walks a well-formed proof. Panics when the walk does not end exactly at its last byte.
pub fn walk(bytes: &[u8]) -> Layout {
    let mut walker = Walker { bytes, at: 0, layout: Layout::default() };
    walker.preamble();
    walker.gkr();
    walker.batch_constraints();
    walker.stacking();
    walker.whir();
    assert_eq!(walker.at, bytes.len(), "the walk misses the end of the proof");
    walker.layout
}

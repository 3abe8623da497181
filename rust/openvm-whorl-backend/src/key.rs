//! Verifying keys and proofs.

use std::ptr;

use openvm_stark_backend::{
    keygen::types::MultiStarkVerifyingKey,
    p3_field::{PrimeCharacteristicRing, PrimeField32},
};
use openvm_stark_sdk::config::baby_bear_poseidon2::{BabyBearPoseidon2Config, DIGEST_SIZE, Digest, F};

use crate::{
    Error,
    error::Code,
    ffi,
    handle::{Handle, bytes_of, c_text, call},
};

/// A verifying key that whorl has checked.
pub struct Key(pub(crate) Handle<ffi::whorl_key>);

// SAFETY: no call takes a key by a pointer to non-const; such handles may be used by several threads at once (whorl.h).
unsafe impl Send for Key {}
// SAFETY: as above.
unsafe impl Sync for Key {}

impl Key {
    /// Reads a key in postcard encoding. `air_names` has a name for each AIR, for messages and task folders.
    /// Fails where the bytes are no key, or the names are not as many as its AIRs.
    pub fn decode(bytes: &[u8], air_names: &[String]) -> Result<Self, Error> {
        let names = air_names.iter().map(|name| c_text("key", "the name of an AIR", name.as_str()));
        let names = names.collect::<Result<Vec<_>, _>>()?;
        let pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
        // SAFETY: bytes and names stay during the call, which copies what it keeps.
        let handle = unsafe {
            Handle::made(ffi::whorl_key_free, |key, error| {
                ffi::whorl_key_decode_named(bytes.as_ptr(), bytes.len(), pointers.as_ptr(), pointers.len(), key, error)
            })
        };
        handle.map(Self)
    }

    /// The key that the published crates have made. Fails where its hash is not that of its contents.
    pub fn from_published(
        key: &MultiStarkVerifyingKey<BabyBearPoseidon2Config>,
        air_names: &[String],
    ) -> Result<Self, Error> {
        let bytes = postcard::to_allocvec(key).map_err(|error| Error::invalid("key", error.to_string()))?;
        Self::decode(&bytes, air_names)
    }

    /// The key in postcard encoding.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        // SAFETY: the handle is valid.
        unsafe { bytes_of(|bytes, error| ffi::whorl_key_encode(self.0.as_ptr(), bytes, error)) }
    }

    /// The hash that names the key.
    pub fn pre_hash(&self) -> Result<Digest, Error> {
        // SAFETY: the handle is valid, and whorl writes as many words as it is told there are.
        digest_of(|words, num_words, error| unsafe {
            ffi::whorl_key_pre_hash(self.0.as_ptr(), words, num_words, error)
        })
    }

    /// AIRs of the key, with and without a trace.
    pub fn num_airs(&self) -> usize {
        // SAFETY: the handle is valid.
        unsafe { ffi::whorl_key_num_airs(self.0.as_ptr()) }
    }

    /// Verifies a proof, whatever it is about. Fails with [`Code::Rejected`] where it is not accepted.
    pub fn verify(&self, proof: &Proof) -> Result<(), Error> {
        // SAFETY: the handles are valid; a statement may be NULL.
        unsafe { call(|error| ffi::whorl_verify(self.0.as_ptr(), proof.0.as_ptr(), ptr::null(), error)) }
    }
}

/// A proof as whorl has it.
pub struct Proof(pub(crate) Handle<ffi::whorl_proof>);

// SAFETY: as of Key.
unsafe impl Send for Proof {}
// SAFETY: as of Key.
unsafe impl Sync for Proof {}

impl Proof {
    /// Reads a proof from the bytes of the published codec.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        // SAFETY: the bytes stay during the call.
        let handle = unsafe {
            Handle::made(ffi::whorl_proof_free, |proof, error| {
                ffi::whorl_proof_decode(bytes.as_ptr(), bytes.len(), proof, error)
            })
        };
        handle.map(Self)
    }

    /// The bytes of the published codec.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        // SAFETY: the handle is valid.
        unsafe { bytes_of(|bytes, error| ffi::whorl_proof_encode(self.0.as_ptr(), bytes, error)) }
    }
}

/// The digest whose canonical words `read(words, num_words, error)` writes.
pub(crate) fn digest_of(
    read: impl FnOnce(*mut u32, usize, *mut *mut ffi::whorl_error) -> ffi::whorl_code,
) -> Result<Digest, Error> {
    let mut words = [0; DIGEST_SIZE];
    // SAFETY: the callers pass all to whorl, which writes as many words as it is told there are.
    unsafe { call(|error| read(words.as_mut_ptr(), words.len(), error)) }?;
    if words.iter().any(|&word| word >= F::ORDER_U32) {
        return Err(Error::new(Code::Internal, "digest", "a word is no field element"));
    }
    Ok(words.map(F::from_u32))
}

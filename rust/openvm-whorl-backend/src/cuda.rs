//! The engine for OpenVM's CUDA backend: traces that OpenVM has made on the GPU enter whorl where they are.

use std::sync::Arc;

use openvm_cuda_backend::{
    GpuBackend, GpuDevice, ProverError, base::DeviceMatrix, data_transporter::transport_matrix_d2h_col_major,
    sponge::DuplexSpongeGpu,
};
use openvm_cuda_common::{error::CudaError, stream::GpuDeviceCtx};
use openvm_stark_backend::{
    StarkEngine, SystemParams,
    memory_metering::ProvingMemoryConfig,
    proof::Proof,
    prover::{Coordinator, DeviceMultiStarkProvingKey, MatrixDimensions, ProvingContext},
};
use openvm_stark_sdk::config::baby_bear_poseidon2::{BabyBearPoseidon2Config, F};

use crate::{
    Error, WhorlEngine, backend::PublishedBackend, engine::published, error::Code, matrix::Matrix,
    prover::ProverOptions,
};

type SC = BabyBearPoseidon2Config;

/// Proves with whorl, in place of `BabyBearPoseidon2GpuEngine`: the same types, so that OpenVM's trace generation on the GPU stays as it is.
/// Matrices enter whorl without a copy; its work waits on the device for what their stream has been given. Proves on the device
/// that is CUDA's current one when the engine is made. Work by stages is the published CUDA backend's.
pub type BabyBearPoseidon2WhorlGpuEngine = WhorlEngine<GpuPlace, DuplexSpongeGpu>;

/// The published device, with the configuration that it leaves to its engine.
pub struct GpuPlace {
    device: GpuDevice,
    config: SC,
}

impl PublishedBackend for GpuBackend {
    type Place<'a> = &'a GpuDeviceCtx;

    fn shape(matrix: &DeviceMatrix<F>) -> (usize, usize) {
        (matrix.width(), if matrix.width() == 0 { 0 } else { matrix.height() })
    }

    fn columns(matrix: &DeviceMatrix<F>, context: &GpuDeviceCtx) -> Result<Matrix, Error> {
        let owner = Arc::new(matrix.clone());
        let words = owner.buffer().as_ptr();
        // SAFETY: the matrix has that many elements, which its clone keeps; OpenVM writes a matrix on the stream of its device, and not any more
        // once it is part of a proving context.
        unsafe { Matrix::on_device(words, matrix.width(), matrix.height(), context.stream.as_raw(), owner) }
    }

    fn host_columns(matrix: &DeviceMatrix<F>, context: &GpuDeviceCtx) -> Result<Matrix, Error> {
        let copied = transport_matrix_d2h_col_major(matrix, context)
            .map_err(|error| Error::new(Code::Machine, "matrix", error.to_string()))?;
        Matrix::from_columns(copied.values, matrix.width(), matrix.height())
    }
}

impl BabyBearPoseidon2WhorlGpuEngine {
    /// [`StarkEngine::prove`] with whorl's error.
    pub fn try_prove(
        &self,
        pk: &DeviceMultiStarkProvingKey<GpuBackend>,
        ctx: ProvingContext<GpuBackend>,
    ) -> Result<Proof<SC>, Error> {
        let device = &self.device.device;
        self.prove_in(device.params(), pk, ctx, &device.device_ctx)
    }
}

/// An error of the published backend with whorl's text.
fn published_error(error: &Error) -> ProverError {
    const CUDA_ERROR_UNKNOWN: i32 = 999;
    ProverError::StreamSynchronize(CudaError {
        code: CUDA_ERROR_UNKNOWN,
        name: "whorl".into(),
        message: error.to_string(),
    })
}

impl StarkEngine for BabyBearPoseidon2WhorlGpuEngine {
    type SC = SC;
    type PB = GpuBackend;
    type PD = GpuDevice;
    type TS = DuplexSpongeGpu;

    /// # Panics
    /// As the published engine: where there is no GPU, or l_skip is more than its kernels take.
    fn new(params: SystemParams) -> Self {
        let device = GpuDevice::new(params.clone()).expect("openvm-cuda-backend makes its device");
        let options = ProverOptions { device: format!("cuda:{}", device.id()), ..ProverOptions::default() };
        let config = BabyBearPoseidon2Config::default_from_params(params);
        Self::with_options(GpuPlace { device, config }, options)
    }

    fn config(&self) -> &SC {
        &self.device.config
    }

    fn device(&self) -> &GpuDevice {
        &self.device.device
    }

    /// As the published engine, which needs more than whorl: segments are no larger than with it.
    fn proving_memory_config(&self) -> ProvingMemoryConfig {
        self.device.device.prover_config().proving_memory_config(&self.device.config)
    }

    fn initial_transcript(&self) -> DuplexSpongeGpu {
        DuplexSpongeGpu::default()
    }

    /// The published CUDA prover, which goes on from `transcript` stage by stage.
    fn prover_from_transcript(
        &self,
        transcript: DuplexSpongeGpu,
    ) -> Coordinator<SC, GpuBackend, GpuDevice, DuplexSpongeGpu> {
        Coordinator::new(GpuBackend::default(), self.device.device.clone(), transcript)
    }

    /// As [`BabyBearPoseidon2WhorlGpuEngine::try_prove`]; the error has whorl's text.
    #[tracing::instrument(name = "stark_prove_excluding_trace", level = "info", skip_all, fields(phase = "prover"))]
    fn prove(
        &self,
        pk: &DeviceMultiStarkProvingKey<GpuBackend>,
        ctx: ProvingContext<GpuBackend>,
    ) -> Result<Proof<SC>, ProverError> {
        published(pk, self.try_prove(pk, ctx), published_error)
    }
}

//! The published suite of all backends on the engine with the types of OpenVM's CUDA backend. Needs a GPU.

openvm_backend_tests::backend_test_suite!(openvm_whorl_backend::BabyBearPoseidon2WhorlGpuEngine);

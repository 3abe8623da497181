// All kernels: what a runtime's table is made of.
#ifndef WHORL_KERNELS_ALL_H
#define WHORL_KERNELS_ALL_H

#include "kernels/gkr_params.h"
#include "kernels/grind_params.h"
#include "kernels/leaves_params.h"
#include "kernels/merkle_params.h"
#include "kernels/message_params.h"
#include "kernels/mle_params.h"
#include "kernels/ntt_params.h"
#include "kernels/round0_params.h"
#include "kernels/sponge_params.h"
#include "kernels/stacking_params.h"
#include "kernels/traces_params.h"
#include "kernels/vectors_params.h"
#include "kernels/whir_params.h"

// F(file, its list, X) for each kernel file.
#define WH_KERNEL_FILES(F, X)           \
    F(gkr, WH_GKR_KERNELS, X)           \
    F(grind, WH_GRIND_KERNELS, X)       \
    F(leaves, WH_LEAVES_KERNELS, X)     \
    F(merkle, WH_MERKLE_KERNELS, X)     \
    F(message, WH_MESSAGE_KERNELS, X)   \
    F(mle, WH_MLE_KERNELS, X)           \
    F(ntt, WH_NTT_KERNELS, X)           \
    F(round0, WH_ROUND0_KERNELS, X)     \
    F(sponge, WH_SPONGE_KERNELS, X)     \
    F(stacking, WH_STACKING_KERNELS, X) \
    F(traces, WH_TRACES_KERNELS, X)     \
    F(vectors, WH_VECTORS_KERNELS, X)   \
    F(whir, WH_WHIR_KERNELS, X)

#define WH_KERNELS_OF_FILE(file, KERNELS, X) KERNELS(X)
#define WH_ALL_KERNELS(X) WH_KERNEL_FILES(WH_KERNELS_OF_FILE, X)

#endif

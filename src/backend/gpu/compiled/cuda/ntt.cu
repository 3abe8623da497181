#include "kernels/ntt.h"

#include "kernels/leaves.h"

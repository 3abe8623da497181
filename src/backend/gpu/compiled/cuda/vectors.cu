#include "kernels/vectors.h"

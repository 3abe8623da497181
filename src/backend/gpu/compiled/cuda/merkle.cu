#include "kernels/merkle.h"

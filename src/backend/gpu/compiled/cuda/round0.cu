#include "kernels/round0.h"

#include "kernels/traces.h"

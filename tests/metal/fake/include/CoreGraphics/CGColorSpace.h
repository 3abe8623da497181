// What metal-cpp needs of CoreGraphics' color spaces.
#pragma once

typedef struct CGColorSpace* CGColorSpaceRef;

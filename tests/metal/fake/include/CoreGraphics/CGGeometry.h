// What metal-cpp needs of CoreGraphics' geometry.
#pragma once

typedef double CGFloat;
typedef struct CGSize {
    CGFloat width, height;
} CGSize;
